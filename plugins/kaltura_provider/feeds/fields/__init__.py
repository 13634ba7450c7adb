"""How the values in a feed file are written: types, templates and patterns, and the errors about wrong ones."""
