"""Kaltura's own nouns, one module per Kaltura service: how its objects are read, listed and changed."""
