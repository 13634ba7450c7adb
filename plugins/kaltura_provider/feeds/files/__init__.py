"""Reads feed files, describes their fields to authors, and writes new ones."""
