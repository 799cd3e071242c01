"""Tar files of outputs: ranges of them, and files that are larger than memory."""
