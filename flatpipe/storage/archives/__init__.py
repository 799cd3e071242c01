"""Archives of the input: which members they hold, and the bytes of each; nothing is unpacked to disk."""
