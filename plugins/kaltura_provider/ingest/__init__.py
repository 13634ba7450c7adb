"""One asset, exactly once."""
