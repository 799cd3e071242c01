"""The parts of a run around its work: signals, the folder that it leaves, what stands beside the images."""
