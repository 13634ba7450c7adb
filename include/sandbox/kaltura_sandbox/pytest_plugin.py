"""Fixtures that give tests a running sandbox."""
