"""The trigger forms: their fields, and the sources that people type."""
