"""Bytes -> sRGB pixels and opacity, with what was done to get there."""
