"""Measures, tests and tables."""
