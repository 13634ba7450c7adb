"""What becomes of a run: results, receipts, notes, notifications, and the objects at their source."""
