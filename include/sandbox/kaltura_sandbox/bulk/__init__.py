"""Bulk upload: many entries from one file, each fetched by its URL."""
