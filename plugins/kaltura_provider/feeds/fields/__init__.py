"""How the values in a feed file are written: types, templates and patterns, and what is said about a wrong one."""
