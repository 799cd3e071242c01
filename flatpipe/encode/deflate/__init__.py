"""Rows of labels -> zlib streams: packed, filtered, their runs found, in Huffman codes of their own."""
