"""Who carries the work: one loop, and the engines behind it."""
