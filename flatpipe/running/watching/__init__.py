"""A run that goes on: which files have come, changed and gone, and one round of work after the other."""
