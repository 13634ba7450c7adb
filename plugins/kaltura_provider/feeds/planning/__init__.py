"""What a run would do with each item of its source, as data, and the dates that a run stands for."""
