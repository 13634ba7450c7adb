"""Entries (services ``media``, ``baseEntry``, ``data``): how they are read, listed, added, filled and changed."""
