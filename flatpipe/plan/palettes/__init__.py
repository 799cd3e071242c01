"""Which palettes a run needs: colours that are allowed and fixed, images that share palettes, what of that is there."""
