"""Bytes from a source into an upload token: at line rate, in flat memory, resumable at the byte."""
