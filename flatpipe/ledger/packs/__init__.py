"""Shards in the ledger: which images lie where, and which files there are."""
