"""Figures about callpbx, measured by code that anybody can run again; benchmarks/README.md
explains."""
