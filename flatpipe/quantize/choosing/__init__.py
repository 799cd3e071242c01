"""Palettes that are chosen: of the colours of an image or of many, of a chart, around fixed ones; and put to use."""
