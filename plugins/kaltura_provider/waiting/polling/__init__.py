"""How many waits share few calls: intervals, roster, readers, and the one loop they all listen to."""
