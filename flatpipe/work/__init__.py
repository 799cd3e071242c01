"""What a worker does: load, flatten, sweep."""
