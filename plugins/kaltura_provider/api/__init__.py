"""Kaltura API v3."""
