"""The tasks of a run: discover or the form, ready, and summary, and how they are connected."""
