"""Shards packed: while a run goes on, or from a ledger alone."""
