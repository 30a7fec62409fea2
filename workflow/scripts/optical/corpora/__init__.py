"""Test collections and training sets, one module a source."""
