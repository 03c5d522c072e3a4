"""Codecs as arrays, one file each, their registry, and resampling between the two rates inside."""
