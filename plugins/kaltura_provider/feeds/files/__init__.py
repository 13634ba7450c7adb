"""Feed files: how they are read, described to their authors, and begun."""
