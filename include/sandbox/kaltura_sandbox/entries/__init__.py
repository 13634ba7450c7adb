"""Entries: their types, properties, life, content and search."""
