"""State on disk: one SQLite file, the uploaded bytes beside it."""
