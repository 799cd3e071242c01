"""Colours as a table: features.parquet, and the images that have a colour."""
