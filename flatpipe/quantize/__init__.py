"""The core: arrays in, arrays out. Nothing here knows a path, a clock, a log or an environment."""
