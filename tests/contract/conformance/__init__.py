"""Replays recordings of a real Kaltura server against a running sandbox and says where the two differ."""
