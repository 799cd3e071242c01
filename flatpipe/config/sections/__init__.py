"""Sections of the config that fill a module of their own."""
