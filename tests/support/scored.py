"""A small training set with the scores of a cross-encoder."""

QUERIES = ("the first question", "the river", "the north", "the moon", "the sun")
# The labels call document k the answer to query k; the cross-encoder prefers document k + 2.
TRIPLES = [[f"q{k}", f"d{k}", f"d{(k + 2) % 5}", f"d{(k + 3) % 5}"] for k in range(5)]
SCORES = [(row[0], name, score) for row in TRIPLES for name, score in zip(row[1:], (0.0, 4.0, -3.0), strict=True)]


def as_rows(scores):
    """Return scores as lines of a TSV file."""
    return ["\t".join(map(str, row)) for row in scores]
