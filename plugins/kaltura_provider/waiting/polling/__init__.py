"""One poll that serves many waits: intervals, roster, readers, and the loop that reads for all of them."""
