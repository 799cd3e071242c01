"""Decoding in a process of its own, for files that may keep their decoder for long: it can be ended there."""
