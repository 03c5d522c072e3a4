"""callpbx: a telephone exchange and call centre in one Python package."""

__version__ = "0.1.0"
