"""Palette files -> colours: a module for each family of formats, each raising ConfigError without the file's name."""
