"""An index for more passages than exact search suits: LanceDB holds them and their token vectors.

The table of an index has a row for each passage: id, the passage as JSON, metadata, number of tokens, token vectors. It
lies in the folder of the index or in a bucket of object storage, which several machines read. LanceDB finds the vectors
nearest to each of the query's, in an inverted file of all vectors with one bit a dimension (RaBitQ), and estimates from
them the scores of passages. The best of these come with their vectors and are scored again exactly, so scores are those
of exact search; only a passage that is not among the candidates can be missed. A small table is searched whole.

Every change of a table is one step and makes a new version of it; a search reads one version throughout.

Shape suffixes: Q queries, M tokens of a query, T tokens, N passages, D dimensions.
"""

import contextlib
import functools
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from optical.corpora.passages import METADATA, Document
from optical.errors import ConfigError, DataError, ResourceError
from optical.files import read_jsonl
from optical.search.exact import Hits
from optical.search.metadata import condition
from optical.search.passages import UnknownPassage
from optical.search.vectors import TokenVectors

ENGINE = "lancedb"
LIST = 8192  # vectors in a list of the inverted file, about
PROBES = 20  # lists that a token of the query looks at
CANDIDATES = 1000  # passages that are scored exactly; more where more hits are asked for
DEPTH = 4  # so many times the candidates are the vectors that are found for a token of the query
SEARCHED_WHOLE = 2000  # passages of a table without an inverted file
ITERATIONS = 10  # of the clustering that makes the inverted file
BATCH = 1000  # passages that are written at a time
INDEX_BYTES, METADATA_BYTES = 2 << 30, 256 << 20  # of the inverted file and of descriptions, kept in memory at most
OLD = timedelta(hours=1)  # how long a version stays after the next one, for searches that have begun
Item = TypeVar("Item")


@dataclass(frozen=True)
class Table:
    """One version of an index's table.

    Attributes:
        place: a folder, or the address of a bucket, such as s3://bucket/folder.
        name: of the table.
        version: of the table.
        tokeniser: with which the passages were read.
    """

    place: str
    name: str
    version: int
    tokeniser: Path

    @property
    def size(self) -> int:
        """Return the number of passages."""
        with _one_line_for_faults(self.place):
            return self._opened.count_rows()

    @property
    def empty(self) -> bool:
        """Return whether there is no passage."""
        return self.size == 0

    @property
    def _opened(self) -> Any:
        return _version(self.place, self.name, self.version)

    def rank(
        self, vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, top: int, where: Sequence[str], device: str = "cpu"
    ) -> list[Hits]:
        """Return the best passages of each query, with exact scores; equal scores in the order of ids.

        The arguments are those of `optical.search.passages.Passages.rank`.
        """
        queries = zip(vectors_QMD.float().cpu(), mask_QM.bool().cpu(), strict=True)
        return [self._best(vectors_MD[mask_M], top, where, device) for vectors_MD, mask_M in queries]

    def _best(self, query_MD: torch.Tensor, top: int, where: Sequence[str], device: str) -> Hits:
        rows = self._candidates(query_MD, max(CANDIDATES, 5 * top), where) if len(query_MD) else None
        if not rows:
            return Hits(np.zeros(0, np.float32), [])
        vectors_TD, lengths_N = _token_vectors(rows["vectors"])
        similarity_TM = torch.from_numpy(vectors_TD).to(device) @ query_MD.to(device).T
        best_NM = torch.segment_reduce(similarity_TM, "max", lengths=torch.tensor(lengths_N, device=device), axis=0)
        scores_N = best_NM.sum(1).cpu().numpy()
        names = rows["id"].to_pylist()
        found = np.flatnonzero(np.isfinite(scores_N)).tolist()  # not a passage without a token
        order = sorted(found, key=lambda row: (-scores_N[row], names[row]))[:top]
        return Hits(scores_N[order], [names[row] for row in order])

    def _candidates(self, query_MD: torch.Tensor, count: int, where: Sequence[str]) -> Any:
        """Return ids and vectors of the passages that LanceDB proposes, as a table of Arrow."""
        with _one_line_for_faults(self.place):
            asked = self._opened.search(query_MD.numpy(), vector_column_name="vectors").distance_type("cosine")
            asked = asked.minimum_nprobes(PROBES).maximum_nprobes(0).limit(count)  # 0: more where a filter leaves few
            if where:
                asked = asked.where(_sql(where))
            return asked.select(["id", "vectors", "_distance"]).to_arrow()  # it warns if the last is not asked for

    def read(self, wanted: set[str]) -> dict[str, Document]:
        """Return some passages by id.

        Raises:
            UnknownPassage: a passage is not in the table.
        """
        found = {row["id"]: json.loads(row["document"]) for row in self._rows(wanted, ["id", "document"])}
        if missing := sorted(wanted - found.keys()):
            raise UnknownPassage(f"no passage {missing[0]}", where=self.place, hint="it was removed")
        return found

    def vectors(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the token vectors (tokens, dim) of some passages."""
        found: dict[str, np.ndarray] = {}
        for rows in self._tables(set(ids), ["id", "vectors"]):
            vectors_TD, lengths_N = _token_vectors(rows["vectors"])
            found |= zip(rows["id"].to_pylist(), np.split(vectors_TD, np.cumsum(lengths_N)[:-1]), strict=True)
        return found

    def known(self, ids: Iterable[str]) -> set[str]:
        """Return those of some ids that are in the table."""
        return {row["id"] for row in self._rows(set(ids), ["id"])}

    def _rows(self, ids: set[str], columns: list[str]) -> Iterator[dict[str, Any]]:
        for rows in self._tables(ids, columns):
            yield from rows.to_pylist()

    def _tables(self, ids: set[str], columns: list[str]) -> Iterator[Any]:
        """Yield columns of the passages with some ids, as tables of Arrow."""
        for some in _batched(sorted(ids)):
            with _one_line_for_faults(self.place):
                asked = self._opened.search().where(_one_of(some)).limit(len(some)).select(columns)
                rows = asked.to_arrow()
            if rows.num_rows:
                yield rows

    def all(self, where: Sequence[str] = ()) -> Iterator[Document]:
        """Yield all passages that fulfil conditions."""
        yield from (json.loads(row["document"]) for row in self.columns(["document"], where))

    def columns(self, names: list[str], where: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Yield columns of all passages that fulfil conditions."""
        with _one_line_for_faults(self.place):
            asked = self._opened.search().select(names).limit(self._opened.count_rows())
            for batch in (asked.where(_sql(where)) if where else asked).to_batches():
                yield from batch.to_pylist()


def table_of(place: str, name: str, tokeniser: Path) -> Table:
    """Return the newest version of a table."""
    with _one_line_for_faults(place):
        return Table(place, name, _database(place).open_table(name).version, tokeniser)


def create_table(place: str, name: str, parts: Sequence[Path]) -> None:
    """Write passages and their token vectors into a new table, and make its inverted file.

    Args:
        place: of the table.
        name: of the table.
        parts: folders with documents.jsonl and vectors/, as `optical.search.index_changes` writes them.
    """
    with _one_line_for_faults(place):
        batches = itertools.chain.from_iterable(map(_batches, parts))
        table = _database(place).create_table(name, batches, schema=_schema(parts[0]))
        table.create_index("id", config=_index().BTree())
    make_inverted_file(place, name)


def add_rows(table: Table, part: Path) -> int:
    """Add passages to a table, in place of those with their ids, in one step; return how many were replaced."""
    with _one_line_for_faults(table.place):
        newest = _database(table.place).open_table(table.name)
        before = newest.count_rows()
        merge = newest.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        merge.execute(_pyarrow().RecordBatchReader.from_batches(_schema(part), _batches(part)))
        added = newest.count_rows() - before
        newest.optimize(cleanup_older_than=OLD)
    return TokenVectors.open(part / "vectors").documents - added


def remove_rows(table: Table, ids: Iterable[str]) -> None:
    """Remove passages from a table in one step."""
    with _one_line_for_faults(table.place):
        _database(table.place).open_table(table.name).delete(_one_of(ids))


def drop_table(place: str, name: str) -> None:
    """Delete a table of a bucket, which no index names any longer."""
    with _one_line_for_faults(place):
        _database(place).drop_table(name, ignore_missing=True)


def make_inverted_file(place: str, name: str) -> None:
    """Make the inverted file of a table's vectors anew, if the table has passages enough for one."""
    with _one_line_for_faults(place):
        table = _database(place).open_table(name)
        if table.count_rows() >= SEARCHED_WHOLE:
            tokens = table.search().limit(table.count_rows()).select(["tokens"]).to_arrow()["tokens"]
            lists = max(int(tokens.to_numpy().sum()) // LIST, 1)
            file = _index().IvfRq("cosine", num_partitions=lists, num_bits=1, max_iterations=ITERATIONS)
            table.create_index("vectors", config=file)


def pieces_of_file(place: str, name: str) -> int:
    """Return of how many pieces a table's inverted file is: each addition makes one, and a search reads them all."""
    with _one_line_for_faults(place):
        table = _database(place).open_table(name)
        vectors = [index.name for index in table.list_indices() if index.columns == ["vectors"]]
        return sum(table.index_stats(index).num_indices for index in vectors)


def _schema(part: Path) -> Any:
    pa = _pyarrow()
    vector = pa.list_(pa.field("item", pa.float16()), TokenVectors.open(part / "vectors").dim)
    texts = [(name, pa.string()) for name in ("id", "document", *METADATA)]
    return pa.schema([*texts, ("tokens", pa.int32()), ("vectors", pa.list_(vector))])


def _batches(part: Path) -> Iterator[Any]:
    """Yield the passages of a part as record batches, in their order."""
    pa, schema, shard = _pyarrow(), _schema(part), TokenVectors.open(part / "vectors")
    lists, stored_of = schema.field("vectors").type, np.argsort(shard.order)
    offsets = np.array(shard.offsets)
    for number, documents in enumerate(_batched(read_jsonl(part / "documents.jsonl"))):
        stored = stored_of[number * BATCH : number * BATCH + len(documents)]
        pieces = [shard.tokens_between(int(offsets[one]), int(offsets[one + 1])) for one in stored]
        ends = np.cumsum([0, *map(len, pieces)])
        flat = pa.array(np.concatenate(pieces).astype(np.float16, copy=False).reshape(-1))
        vectors = pa.FixedSizeListArray.from_arrays(flat, type=lists.value_type)
        texts = [
            [document["id"] for document in documents],
            [json.dumps(document, ensure_ascii=False) for document in documents],
            *([document.get(field) or "" for document in documents] for field in METADATA),
        ]
        numbers = pa.array(np.diff(ends), pa.int32())
        by_passage = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), vectors, type=lists)
        yield pa.RecordBatch.from_arrays([*map(pa.array, texts), numbers, by_passage], schema=schema)


def _token_vectors(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of a column one after the other, float32 (T, D), and how many each row has, (N,)."""
    lists = column.combine_chunks()
    vectors_TD = lists.flatten().flatten().to_numpy().reshape(-1, lists.type.value_type.list_size)
    return vectors_TD.astype(np.float32), lists.value_lengths().to_numpy()


def _batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while some := list(itertools.islice(source, BATCH)):
        yield some


def _sql(where: Sequence[str]) -> str:
    """Return conditions in SQL: a date is compared as far as the condition's goes, and ~ comes after all that it holds.

    >>> _sql(["source=the 'Nation'", "date<=2024"])
    "source = 'the ''Nation''' AND date != '' AND date <= '2024~'"
    """
    clauses = []
    for field, comparison, value in map(condition, where):
        if comparison == "<=":
            clauses.append(f"{field} != ''")
        if field == "date" and comparison == "=":
            clauses += [f"date >= {_quoted(value)}", f"date <= {_quoted(value + '~')}"]
        else:
            last = "~" if field == "date" and comparison == "<=" else ""
            clauses.append(f"{field} {comparison} {_quoted(value + last)}")
    return " AND ".join(clauses)


def _one_of(ids: Iterable[str]) -> str:
    return f"id IN ({', '.join(map(_quoted, ids))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@functools.lru_cache(maxsize=8)
def _database(place: str) -> Any:
    """Return the connection to a place: its caches live as long as it."""
    lancedb = _lancedb()
    return lancedb.connect(place, session=lancedb.Session(INDEX_BYTES, METADATA_BYTES))


@functools.lru_cache(maxsize=8)
def _version(place: str, name: str, version: int) -> Any:
    table = _database(place).open_table(name)
    table.checkout(version)
    return table


def check_engine(name: str, store: str) -> None:
    """Refuse an engine that is unknown or not installed, and a bucket that cannot be reached, before hours of work."""
    if name != ENGINE:
        raise ConfigError(f"unknown engine {name!r}", where="engine", hint=f"it is {ENGINE}")
    _lancedb()
    if store and "://" not in store:
        raise ConfigError("not the address of a bucket", where=store, hint="such as s3://bucket/folder")
    if store:
        with _one_line_for_faults(store):
            _database(store).list_tables(limit=1)


def _lancedb() -> Any:
    os.environ.setdefault("LANCE_XTR_OVERFETCH", str(DEPTH))
    os.environ.setdefault("LANCEDB_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        hint = 'pip install -e ".[engine]", or build the index without --engine'
        raise ResourceError("the index is LanceDB's, which is missing", hint=hint) from error
    return lancedb


def _index() -> Any:
    from lancedb import index

    return index


def _pyarrow() -> Any:
    import pyarrow

    return pyarrow


@contextlib.contextmanager
def _one_line_for_faults(place: str) -> Iterator[None]:
    """Say in one line what LanceDB cannot do."""
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        hint = "look at the place and its credentials, or build the index again"
        raise DataError(f"LanceDB: {first[:300]}", where=place, hint=hint) from error
