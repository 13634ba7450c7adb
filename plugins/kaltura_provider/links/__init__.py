"""Links from task instances to Kaltura."""
