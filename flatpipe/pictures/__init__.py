"""The pictures of the report, made by the workers: arrays in, bytes out. Knows neither the ledger nor the page."""
