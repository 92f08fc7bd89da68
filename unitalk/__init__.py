"""Active speaker detection data and scores you can trust."""

__version__ = "0.1.0"
