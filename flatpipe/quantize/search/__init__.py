"""The search for centroids: seeding, Lloyd's iteration, swaps, and the solvers made of them."""
