"""What has been done: one SQLite file, one writer, and the only SQL."""
