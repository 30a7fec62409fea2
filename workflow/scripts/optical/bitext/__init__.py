"""Sentence pairs: readers, filters, and the alignment of rows and words."""
