"""What an index holds, in figures: for people, and for programs that watch it."""

import itertools
from collections import Counter

from optical.corpora.passages import METADATA
from optical.files import read_rows
from optical.search.index import FORMAT, Index
from optical.search.vectors import TokenVectors

MOST_VALUES = 20  # of a field, the most frequent ones


def describe(index: Index) -> dict[str, object]:
    """Return the numbers of passages, deleted ones, parts and bytes, the models, and how often each metadata occur."""
    shards = [TokenVectors.open(shard) for shard in index.passages.shards]
    kept = index.passages.kept()
    rows = itertools.chain.from_iterable(read_rows(file, 1 + len(METADATA)) for file in index.passages.metadata)
    counts = {field: Counter[str]() for field in METADATA}
    for row in rows if kept is None else itertools.compress(rows, kept):
        for field, value in zip(METADATA, row[1:], strict=True):
            if value:
                counts[field][value[:4] if field == "date" else value] += 1
    return {
        "passages": index.size,
        "deleted": sum(len(part.deleted) for part in index.parts),
        "parts": len(index.parts),
        "pool": index.pool,
        "tokens": sum(shard.tokens for shard in shards),
        "megabytes": round(sum(file.stat().st_size for file in index.folder.rglob("*") if file.is_file()) / 2**20, 2),
        "format": FORMAT,
        "reader": str(index.place_of(index.reader)),
        "model": str(index.place_of(index.model)),
        "languages": dict(counts["language"].most_common(MOST_VALUES)),
        "sources": dict(counts["source"].most_common(MOST_VALUES)),
        "years": dict(sorted(counts["date"].items())[-MOST_VALUES:]),
    }
