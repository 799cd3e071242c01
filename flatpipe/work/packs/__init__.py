"""Shards in the hands of a worker: pieces written, and put together."""
