"""Several places as one input: what words and patterns stand for, their images as one stream in the order of ids."""
