"""What a person reads: each function returns all lines of one answer, and nothing else of cli/ words it."""
