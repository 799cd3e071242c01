"""The stage of a run that finds the palettes which images share."""
