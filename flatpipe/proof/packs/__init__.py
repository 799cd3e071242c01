"""Shards and pieces, proved and cleaned."""
