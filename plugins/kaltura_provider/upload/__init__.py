"""Upload a source to an upload token: at line rate, in constant memory, resumable at any byte."""
