"""What a run tells beside the screen: its numbers for Prometheus, its state when nothing moves."""
