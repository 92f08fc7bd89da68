"""Verbs that need several of the rooms below: datasets, scores, models."""
