"""Which images are there, each under an id of its own."""
