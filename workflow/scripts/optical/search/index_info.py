"""What an index holds, in figures: for people, and for programs that watch it."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from optical.corpora.passages import METADATA
from optical.files import read_rows
from optical.search.index import FORMAT, Index
from optical.search.vectors import TokenVectors

MOST_VALUES = 20  # of a field, the most frequent ones


def describe(index: Index) -> dict[str, object]:
    """Return the numbers of passages, deleted ones, parts and bytes, the models, and how often each metadata occur."""
    counts = {field: Counter[str]() for field in METADATA}
    for row in _metadata(index):
        for field, value in zip(METADATA, row, strict=True):
            if value:
                counts[field][value[:4] if field == "date" else value] += 1
    return {
        "passages": index.size,
        **(_table_figures(index) if index.engine else _part_figures(index)),
        "pool": index.pool,
        "megabytes": round(sum(file.stat().st_size for file in index.folder.rglob("*") if file.is_file()) / 2**20, 2),
        "format": FORMAT,
        "reader": str(index.place_of(index.reader)),
        "model": str(index.place_of(index.model)),
        "languages": dict(counts["language"].most_common(MOST_VALUES)),
        "sources": dict(counts["source"].most_common(MOST_VALUES)),
        "years": dict(sorted(counts["date"].items())[-MOST_VALUES:]),
    }


def _metadata(index: Index) -> Iterator[Sequence[str]]:
    """Yield the metadata of every passage."""
    if index.engine:
        yield from (list(row.values()) for row in index.table.columns(list(METADATA)))
        return
    passages = index.in_parts
    rows: Iterator[list[str]] = itertools.chain.from_iterable(
        read_rows(file, 1 + len(METADATA)) for file in passages.metadata
    )
    kept = passages.kept()
    if kept is not None:
        rows = itertools.compress(rows, kept)
    for _, *metadata in rows:
        yield metadata


def _part_figures(index: Index) -> dict[str, object]:
    return {
        "deleted": sum(len(part.deleted) for part in index.parts),
        "parts": len(index.parts),
        "tokens": sum(TokenVectors.open(shard).tokens for shard in index.in_parts.shards),
    }


def _table_figures(index: Index) -> dict[str, object]:
    place, name = index.place_of_table(index.parts[0].name)
    return {"engine": index.engine, "table": f"{place}/{name}.lance"}
