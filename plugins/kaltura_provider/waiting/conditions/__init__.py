"""Conditions that a wait can have. Each judges one snapshot: no network and no clock."""
