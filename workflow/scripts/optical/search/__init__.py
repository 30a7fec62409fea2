"""Token vectors, exact and pruned search, BM25 and runs."""
