"""A small threaded HTTP/1.1 server that streams request bodies."""
