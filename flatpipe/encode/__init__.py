"""Flat images and palettes -> bytes."""
