"""Palettes that are given: colours with names and codes; the files that hold them, and the charts that come along.

Bytes in, bytes out: what reads and writes files stands in storage/.
"""
