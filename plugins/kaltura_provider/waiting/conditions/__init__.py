"""What a wait is for: pure conditions that judge one snapshot. No network, no clock."""
