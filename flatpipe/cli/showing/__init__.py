"""What reaches a terminal, or who reads its stdout."""
