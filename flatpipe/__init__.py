"""flatpipe flattens the colours of whole image collections."""

__version__ = "0.1.0"
