"""Verbs on a dataset, one module or folder per verb."""
