"""Kaltura sessions: the KS strings, versions 1 and 2, and whether one is still good."""
