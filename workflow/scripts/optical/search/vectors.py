"""Token vectors of a collection on disk: one folder a shard, memory-mapped, documents best stored in order of length.

A shard holds one piece of the collection, without gaps:

- `vectors.npy`  float16 or float32 (tokens, dim): the documents' token vectors, one document after the other
- `offsets.npy`  int64 (documents + 1): where each stored document begins
- `order.npy`    int64 (documents): the place in the shard's piece of the collection of each stored document
- `ids.txt`      the id of each stored document, a line each
- `meta.json`    dim, dtype, documents, tokens and the encoder's fingerprint

Documents are encoded in order of length, which avoids padding, and stored in that order: a block of the search is then
one dense slice of the file. Any other order is correct, but slower. `order` gives the places in the collection.

Shape suffixes: T tokens, D dimensions of a vector.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from optical.errors import ConfigError, DataError
from optical.files import atomic_folder, read_json, read_lines, write_json
from optical.seals import check_folder

MOST_DOCUMENTS = (1 << 32) - 1  # a place fits into half a key of optical.search.best_hits
DTYPES = ("float16", "float32")
HEADER_BYTES = 128
PIECE = 1 << 16  # documents whose lengths or places are looked at together
REMEDY = "encode the collection again"


class VectorWriter:
    """Receives the documents of one shard in any order, batch by batch; made by `write_vectors`."""

    def __init__(self, folder: Path, dim: int, dtype: str):
        self.dim, self.dtype = dim, np.dtype(dtype)
        self.lengths: list[np.ndarray] = []
        self.places: list[np.ndarray] = []
        self.tokens = self.documents = 0
        self.vectors_file = (folder / "vectors.npy").open("wb")
        self.ids_file = (folder / "ids.txt").open("w", encoding="utf-8", newline="")
        self._write_header()

    def append(self, places: Sequence[int], ids: Sequence[str], lengths: Sequence[int], vectors_TD: object) -> None:
        """Store a batch of documents: their places in the shard's collection (from 0), ids, token counts and vectors.

        `vectors_TD` (array or CPU tensor) holds the batch's documents one after the other, without padding. Raise
        `DataError` for counts that do not fit together, vectors that are not finite in the stored type, and ids that
        hold white space.
        """
        counts = np.asarray(lengths, dtype=np.int64)
        with np.errstate(over="ignore"):  # an overflow is reported below, with its document
            stored_TD = np.ascontiguousarray(np.asarray(vectors_TD), dtype=self.dtype)
        if not len(places) == len(ids) == len(counts):
            raise DataError(f"{len(places)} places, {len(ids)} ids and {len(counts)} lengths in one batch")
        if stored_TD.shape != (counts.sum(), self.dim):
            raise DataError(f"vectors of shape {stored_TD.shape}, lengths say {(int(counts.sum()), self.dim)}")
        if not np.isfinite(stored_TD).all():
            wrong = np.flatnonzero(~np.isfinite(stored_TD).all(axis=1))[0]
            document = ids[np.searchsorted(np.cumsum(counts), wrong, side="right")]
            raise DataError(
                f"a token vector of document {document} is not finite", hint="check the encoder, or store float32"
            )
        for name in ids:
            if not name or name.split() != [name]:
                raise DataError(f"document id {name!r} is empty or holds white space", hint="rename the document")
        self.vectors_file.write(stored_TD.data)
        self.ids_file.writelines(f"{name}\n" for name in ids)
        self.lengths.append(counts)
        self.places.append(np.asarray(places, dtype=np.int64))
        self.tokens += len(stored_TD)
        self.documents += len(ids)

    def _write_header(self) -> None:
        # The number of tokens is known at the end only; numpy leaves room in the header for it to grow.
        self.vectors_file.seek(0)
        shape = (self.tokens if self.documents else 0, self.dim)
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.vectors_file, header)
        if self.vectors_file.tell() != HEADER_BYTES:
            raise AssertionError(f"numpy wrote a header of {self.vectors_file.tell()} bytes")

    def close(self) -> None:
        """Complete the header and close the files."""
        self._write_header()
        self.vectors_file.close()
        self.ids_file.close()


@contextlib.contextmanager
def write_vectors(folder: str | Path, dim: int, dtype: str = "float16", encoder: str = "") -> Iterator[VectorWriter]:
    """Open a shard for writing; it appears under its name only when all of it was written without an error.

    `encoder` is a fingerprint of the encoder that made the vectors; a reader can ask for it.
    Raise `DataError` when the places of the documents are not 0, 1, 2, ... each once.
    """
    if dtype not in DTYPES:
        raise DataError(f"vectors of type {dtype}", where=folder, hint=f"one of {', '.join(DTYPES)}")
    with atomic_folder(folder) as temporary:
        writer = VectorWriter(temporary, dim, dtype)
        try:
            yield writer
        finally:
            writer.close()
        order = np.concatenate([*writer.places, np.zeros(0, np.int64)])
        if not np.array_equal(np.sort(order), np.arange(len(order))):
            raise DataError("the places of the documents do not count from 0 without gaps", where=folder)
        np.save(temporary / "order.npy", order)
        np.save(temporary / "offsets.npy", np.cumsum(np.concatenate([np.zeros(1, np.int64), *writer.lengths])))
        meta = {"dim": dim, "dtype": dtype, "documents": len(order), "tokens": writer.tokens, "encoder": encoder}
        write_json(temporary / "meta.json", meta)


@dataclasses.dataclass(frozen=True)
class TokenVectors:
    """One shard, opened: nothing is read but the description.

    Arrays are mapped again at each use: pages that were read count as memory of the process until their mapping goes.
    """

    folder: Path
    dim: int
    dtype: str
    documents: int
    tokens: int
    encoder: str

    @classmethod
    def open(cls, folder: str | Path) -> "TokenVectors":
        """Open a shard; raise `DataError` where files are missing or disagree with the description."""
        folder = Path(folder)
        check_folder(folder)
        meta = read_json(folder / "meta.json")
        shard = cls(folder, **meta)
        try:
            counts = len(shard.offsets) - 1, len(shard.order), int(shard.offsets[-1])
            bytes_there = (folder / "vectors.npy").stat().st_size
        except (OSError, ValueError) as error:
            raise DataError(f"damaged shard: {error}", where=folder, hint=REMEDY) from error
        bytes_needed = HEADER_BYTES + shard.tokens * shard.dim * np.dtype(shard.dtype).itemsize
        if counts != (shard.documents, shard.documents, shard.tokens) or bytes_there != bytes_needed:
            raise DataError("the files of the shard do not fit together", where=folder, hint=REMEDY)
        return shard

    @property
    def offsets(self) -> np.ndarray:
        """Where each stored document begins, and the end: int64 (documents + 1)."""
        return np.load(self.folder / "offsets.npy", mmap_mode="r")

    @property
    def order(self) -> np.ndarray:
        """The place in the collection of each stored document: int64 (documents)."""
        return np.load(self.folder / "order.npy", mmap_mode="r")

    def tokens_between(self, first: int, last: int) -> np.ndarray:
        """Map the token vectors `first` to `last` (exclusive) of the file: (last - first, dim).

        Each call makes a mapping of its own, so that dropping the array gives its pages back to the system. What is
        written to the array stays in memory and never reaches the file.
        """
        size = np.dtype(self.dtype).itemsize * self.dim
        if first == last:  # nothing cannot be mapped
            return np.zeros((0, self.dim), self.dtype)
        return np.memmap(
            self.folder / "vectors.npy", self.dtype, "c", HEADER_BYTES + first * size, (last - first, self.dim)
        )

    def document(self, stored: int) -> np.ndarray:
        """Return a copy of the token vectors of one stored document: (tokens, dim)."""
        first, last = self.offsets[stored : stored + 2].tolist()
        return np.array(self.tokens_between(first, last))

    def ids(self) -> Iterator[str]:
        """Yield the ids of the documents in stored order, without keeping them."""
        return read_lines(self.folder / "ids.txt")


class Collection:
    """The shards side by side: a document's place is its shard's first place plus its own order there.

    `kept` (bool, one for each place) says which documents are searched; None for all.
    """

    def __init__(self, folders: Sequence[str | Path], kept: np.ndarray | None = None):
        self.shards = [TokenVectors.open(folder) for folder in folders]
        if not self.shards:
            raise ConfigError("no shards to search", where="search")
        self.dim, self.encoder = self.shards[0].dim, self.shards[0].encoder
        for shard in self.shards:
            if (shard.dim, shard.encoder) != (self.dim, self.encoder):
                raise DataError("the shards come from different encoders", where=shard.folder, hint=REMEDY)
        self.first_places = np.cumsum([0, *(shard.documents for shard in self.shards)])
        self.documents = int(self.first_places[-1])
        if self.documents > MOST_DOCUMENTS:
            raise DataError(f"{self.documents} documents are more than one search can number", where="search")
        if kept is not None and kept.shape != (self.documents,):
            raise DataError(f"{kept.shape} marks for {self.documents} documents", where="search")
        self.kept = kept

    def longest(self) -> int:
        """Return the tokens of the longest document, 1 at least."""
        longest = 1
        for shard in self.shards:
            for some in _pieces(shard.documents):
                offsets = shard.offsets[some.start : some.stop + 1]
                longest = max(longest, int(np.diff(offsets).max(initial=1)))
        return longest

    def stored(self, places: np.ndarray) -> Iterator[tuple[TokenVectors, np.ndarray, np.ndarray]]:
        """Yield for each shard the indices into `places` of its documents and their stored positions there."""
        shard_of = np.searchsorted(self.first_places, places, side="right") - 1
        for number, shard in enumerate(self.shards):
            mine = np.flatnonzero(shard_of == number)
            if len(mine):
                wanted, back = np.unique(places[mine] - self.first_places[number], return_inverse=True)
                positions = np.empty_like(wanted)
                for piece in _pieces(shard.documents):
                    order = shard.order[piece]
                    hits = np.flatnonzero(np.isin(order, wanted))
                    positions[np.searchsorted(wanted, order[hits])] = hits + piece.start
                yield shard, mine, positions[back]

    def ids(self, places: np.ndarray) -> list[str]:
        """Return the ids of documents, reading the files of ids past without keeping them."""
        names: list[str] = [""] * len(places)
        for shard, mine, stored in self.stored(places):
            wanted = set(stored.tolist())
            name_of = {position: name for position, name in enumerate(shard.ids()) if position in wanted}
            for index, position in zip(mine.tolist(), stored.tolist(), strict=True):
                names[index] = name_of[position]
        return names

    def places(self, wanted: set[str]) -> dict[str, int]:
        """Return the places of documents by id; raise `DataError` for an unknown id."""
        place_of: dict[str, int] = {}
        for first, shard in zip(self.first_places.tolist(), self.shards, strict=False):
            order = shard.order
            for position, name in enumerate(shard.ids()):
                if name in wanted:
                    place_of[name] = first + int(order[position])
        if missing := sorted(wanted - place_of.keys()):
            hint = "was the run made on another version of the collection?"
            what = f"{len(missing)} documents have no vectors, such as {missing[0]}"
            raise DataError(what, where="search", hint=hint)
        return place_of


def vectors_of(collection: Collection, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the token vectors (tokens, dim) of some documents of an encoded collection."""
    place_of = collection.places(set(ids))
    names = list(place_of)
    vectors = {}
    for shard, mine, stored in collection.stored(np.array([place_of[name] for name in names])):
        for index, position in zip(mine.tolist(), stored.tolist(), strict=True):
            vectors[names[index]] = shard.document(position)
    return vectors


def copy_vectors(collection: Collection, folder: str | Path) -> None:
    """Write the documents of a collection that are kept into one shard: in their order, on disk sorted by length.

    Shape suffix: N documents as they are stored, shard after shard.
    """
    shards = collection.shards
    lengths_N = np.concatenate([np.diff(shard.offsets) for shard in shards])
    starts_N = np.concatenate([shard.offsets[:-1] for shard in shards])
    firsts = collection.first_places.tolist()
    places_N = np.concatenate([shard.order + first for shard, first in zip(shards, firsts, strict=False)])
    names_N = [name for shard in shards for name in shard.ids()]
    shard_N = np.repeat(np.arange(len(shards)), [shard.documents for shard in shards])
    kept = np.ones(collection.documents, bool) if collection.kept is None else collection.kept
    new_places = np.cumsum(kept) - 1
    order = np.argsort(lengths_N, kind="stable")
    mapped = [shard.tokens_between(0, shard.tokens) for shard in shards]
    with write_vectors(folder, collection.dim, shards[0].dtype, collection.encoder) as writer:
        for number in order[kept[places_N[order]]].tolist():
            start, length = starts_N[number], lengths_N[number]
            vectors_TD = mapped[shard_N[number]][start : start + length]
            writer.append([new_places[places_N[number]]], [names_N[number]], [length], vectors_TD)


def _pieces(documents: int) -> Iterator[slice]:
    """Cut the documents of a shard into pieces whose arrays take little memory."""
    return (slice(first, min(first + PIECE, documents)) for first in range(0, documents, PIECE))
