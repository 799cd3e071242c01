"""What a worker does for palettes that images share."""
