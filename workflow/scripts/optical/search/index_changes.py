"""Changes of an index: build, add and remove. A change that fails or is killed leaves the index as it was before.

A change writes new parts, then replaces `index.json` in one step, then deletes the parts that it no longer names. The
next change deletes what a killed one left. New passages form a part of their own. `index.json` lists deleted places.
Small parts behind large ones are copied into one part, and so is a part of which more than half is deleted. So the
number of parts grows with the logarithm of the number of passages, and no part is mostly waste.

Where an engine holds the passages, a change is one step of its table; `index.json` changes with its inverted file.

One process at a time changes an index, and others wait. Searches continue.
"""

import contextlib
import dataclasses
import fcntl
import itertools
import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from optical.corpora.files import checked_documents
from optical.corpora.passages import Document
from optical.errors import ConfigError, DataError, ResourceError
from optical.files import (
    atomic_folder,
    read_json,
    read_jsonl,
    read_lines,
    read_rows,
    write_jsonl,
    write_lines,
    write_rows,
)
from optical.models.encoder import DOCUMENT, Encoder
from optical.runtime.provenance import content_hash
from optical.search.encoding import encode_documents
from optical.search.engine import (
    ENGINE,
    add_rows,
    check_engine,
    create_table,
    drop_table,
    make_inverted_file,
    pieces_of_file,
    remove_rows,
)
from optical.search.index import DESCRIPTION, Index, NamedModel, Part, is_index, open_index
from optical.search.metadata import NO_METADATA, Metadata, rows_of, with_defaults
from optical.search.vectors import Collection, copy_vectors

log = logging.getLogger(__name__)

PART = "part-"
NAME_OF_PART = f"{PART}[0-9a-f]{{8}}"
UNFINISHED = re.compile(rf"\.({NAME_OF_PART}|{re.escape(DESCRIPTION)})\..+")
MOST_PIECES = 8  # of the inverted file of an engine's table


@dataclasses.dataclass(frozen=True)
class Change:
    """What a change has made: the index, and how many passages were added, replaced and removed."""

    index: Index
    added: int = 0
    replaced: int = 0
    removed: int = 0


def build_index(
    folder: str | Path,
    documents: Iterable[Document],
    encoder: Encoder,
    reader: str | Path,
    model: str | Path,
    defaults: Metadata = NO_METADATA,
    pool: int = 1,
    engine: str = "",
    store: str = "",
    precision: str = "fp32",
) -> Index:
    """Encode passages and write an index; an existing one is replaced.

    Args:
        folder: of the index.
        documents: the passages; each has a unique id without white space, and a text.
        encoder: reads the passages.
        reader: folder of the encoder.
        model: folder of the model that reads queries.
        defaults: metadata of passages without their own.
        pool: how many similar token vectors of a passage become one.
        engine: that is to hold and search the passages, lancedb; "" for exact search.
        store: address of the bucket where the engine keeps them, such as s3://bucket/folder; "" for the folder.
        precision: of the matrix products, fp32 or bf16.

    Raises:
        DataError: an id is empty or there twice, no passage has a text, the folder holds something else, or the store
            cannot be reached.
        ConfigError: the engine is unknown, or a store is named without one or is no address.
        ResourceError: the engine is not installed.
    """
    folder = Path(folder)
    _check_place(folder)
    if engine:
        check_engine(engine, store)
    elif store:
        raise ConfigError("a store without an engine", where="store", hint=f"add --engine {ENGINE}")
    folder.mkdir(parents=True, exist_ok=True)
    with _changing(folder):
        old_table = _table_in_store(folder)
        named = NamedModel.of(reader, folder)
        index = Index(folder, [], named, NamedModel.of(model, folder), pool, engine, store)
        part = _write_part(index, with_defaults(checked_documents(documents), defaults), encoder, precision)
        if engine:
            part = _into_table(index, part)
        index = _replace(dataclasses.replace(index, parts=[part]))
        if old_table:
            try:
                drop_table(*old_table)
            except DataError as error:  # the new index is in place
                log.warning("the table of the old index is left in its bucket: %s", error)
        return index


def add_passages(
    folder: str | Path,
    documents: Iterable[Document],
    encoder: Encoder,
    reader: str | Path,
    defaults: Metadata = NO_METADATA,
    precision: str = "fp32",
) -> Change:
    """Encode passages and add them to an index; a passage replaces the one with the same id.

    Args:
        folder: of the index.
        documents: the passages, as for `build_index`.
        encoder: reads the passages.
        reader: folder of the encoder, which must be the model that has read those of the index.
        defaults: metadata of passages without their own.
        precision: of the matrix products, fp32 or bf16.

    Raises:
        DataError: a passage is faulty, or another model has read the passages of the index.
    """
    folder = Path(folder)
    open_index(folder)  # refuse a folder that is none before anything is made of it
    with _changing(folder):
        index = open_index(folder)
        if content_hash(reader) != index.reader.digest:
            hint = f"name that one, as it was then: {index.place_of(index.reader)}"
            raise DataError(f"not the model that has read the passages of {folder}", where=reader, hint=hint)
        part = _write_part(index, with_defaults(checked_documents(documents), defaults), encoder, precision)
        if index.engine:
            replaced_rows = add_rows(index.table, folder / part.name)
            index = _fitted(index)
            _delete_unnamed(index)
            return Change(index, added=part.size - replaced_rows, replaced=replaced_rows)
        ids = {name for name, *_ in read_rows(folder / part.name / "metadata.tsv", 1)}
        parts, replaced = _without(index, ids)
        changed = _replace(dataclasses.replace(index, parts=[*parts, part]))
        return Change(changed, added=part.size - len(replaced), replaced=len(replaced))


def remove_passages(folder: str | Path, ids: Iterable[str]) -> Change:
    """Remove passages by their ids.

    Raises:
        DataError: the index lacks one of the ids. It does not change then.
    """
    folder, ids = Path(folder), set(ids)
    before = open_index(folder)
    if not ids:
        return Change(before)
    with _changing(folder):
        index = open_index(folder)
        parts, removed = (index.parts, index.table.known(ids)) if index.engine else _without(index, ids)
        if unknown := sorted(ids - removed):
            what = f"{len(unknown)} of {len(ids)} passages are not in the index, such as {unknown[0]}"
            raise DataError(what, where=folder, hint="nothing was removed; take these ids out")
        if index.engine:
            remove_rows(index.table, ids)
            return Change(index, removed=len(removed))
        return Change(_replace(dataclasses.replace(index, parts=parts)), removed=len(removed))


def _without(index: Index, ids: set[str]) -> tuple[list[Part], set[str]]:
    """Return the parts of an index with passages deleted from them, and the ids of those that were there."""
    parts: list[Part] = []
    found: set[str] = set()
    for part in index.parts:
        deleted = set(part.deleted)
        rows = enumerate(read_rows(index.folder / part.name / "metadata.tsv", 1))
        new = {place: name for place, (name, *_) in rows if name in ids and place not in deleted}
        parts.append(dataclasses.replace(part, deleted=sorted(deleted.union(new))))
        found.update(new.values())
    return parts, found


def _replace(index: Index) -> Index:
    """Put a changed index in place: merge its parts, write its description in one step, delete unnamed parts."""
    kept = _kept_apart(index.parts)
    merged = _merge(dataclasses.replace(index, parts=index.parts[kept:]))
    index = dataclasses.replace(index, parts=[*index.parts[:kept], *merged])
    index.write()
    _delete_unnamed(index)
    return index


def _delete_unnamed(index: Index) -> None:
    """Delete the parts that the description no longer names, and what killed changes left."""
    named = {DESCRIPTION, *(part.name for part in index.parts)}
    for old in index.folder.iterdir():
        if old.name not in named and _is_own(old):
            shutil.rmtree(old) if old.is_dir() else old.unlink()


def _kept_apart(parts: Sequence[Part]) -> int:
    """Return how many of the first parts do not change; the others become one.

    A part stays that holds more than all parts behind it together, and of which at least half is not deleted.

    >>> _kept_apart([Part("a", 10, []), Part("b", 4, []), Part("c", 4, []), Part("d", 1, [])])
    1
    """
    for number, part in enumerate(parts):
        behind = sum(other.live for other in parts[number + 1 :])
        if part.live <= behind or part.live < len(part.deleted):
            return number
    return len(parts)


def _write_part(index: Index, documents: Iterable[Document], encoder: Encoder, precision: str) -> Part:
    """Encode passages into a new part, which no index names yet."""
    name = _new_name()
    with atomic_folder(index.folder / name) as temporary:
        size = write_jsonl(temporary / "documents.jsonl", documents)
        if not size:
            raise DataError("no passages", where=index.folder, hint="give one at least")
        write_rows(temporary / "metadata.tsv", rows_of(read_jsonl(temporary / "documents.jsonl")))
        passages = read_jsonl(temporary / "documents.jsonl")
        vectors, reader = temporary / "vectors", index.reader.digest
        encode_documents(encoder, passages, DOCUMENT, vectors, precision, reader, index.pool, size)
        encoder.tokeniser.save(str(temporary / "tokenizer.json"))
    return Part(name, size, [])


def _into_table(index: Index, part: Part) -> Part:
    """Write the passages of a part into a table of the engine; return the part that has the table."""
    name = _new_name()
    (index.folder / name).mkdir()
    shutil.copyfile(index.folder / part.name / "tokenizer.json", index.folder / name / "tokenizer.json")
    create_table(*index.place_of_table(name), [index.folder / part.name])
    return Part(name, part.size, [])


def _table_in_store(folder: Path) -> tuple[str, str] | None:
    """Return place and name of the table that an index has in a bucket, if there is an index that has one."""
    with contextlib.suppress(DataError):
        index = open_index(folder)
        if index.store and index.parts:
            return index.place_of_table(index.parts[0].name)
    return None


def _fitted(index: Index) -> Index:
    """Make the inverted file of an engine's table anew where the passages have doubled, or it is of many pieces."""
    (part,) = index.parts
    place = index.place_of_table(part.name)
    if index.size < 2 * part.size and pieces_of_file(*place) <= MOST_PIECES:
        return index
    make_inverted_file(*place)
    index = dataclasses.replace(index, parts=[Part(part.name, index.size, [])])
    index.write()
    return index


def _merge(index: Index) -> list[Part]:
    """Copy the passages that are left into one new part, in order; return it, or nothing if none is left."""
    if not index.size:
        return []
    passages, name = index.in_parts, _new_name()
    kept = passages.kept()
    with atomic_folder(index.folder / name) as temporary:
        for file, copies in (("documents.jsonl", passages.documents), ("metadata.tsv", passages.metadata)):
            lines = itertools.chain.from_iterable(map(read_lines, copies))
            write_lines(temporary / file, lines if kept is None else itertools.compress(lines, kept))
        copy_vectors(Collection(passages.shards, kept), temporary / "vectors")
        shutil.copyfile(index.folder / index.parts[-1].name / "tokenizer.json", temporary / "tokenizer.json")
    return [Part(name, index.size, [])]


def _new_name() -> str:
    return f"{PART}{secrets.token_hex(4)}"


@contextlib.contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Wait until no other process changes an index; the lock goes with this process, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            _lock(descriptor, folder)
        except OSError as error:
            hint = "put the index on a disk that can lock files"
            raise ResourceError(f"cannot lock: {error.strerror or error}", where=folder, hint=hint) from error
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("another process changes %s: waiting for it to end", folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _check_place(folder: Path) -> None:
    """Refuse a folder that holds anything but an index, or what a killed process left of one."""
    if not folder.exists() or (is_index(folder) and "format" in read_json(folder / DESCRIPTION)):
        return
    others = [path for path in folder.iterdir() if not _is_own(path)] if folder.is_dir() else [folder]
    if others:
        raise DataError("there is something else", where=others[0], hint="name a new folder for the index")


def _is_own(path: Path) -> bool:
    """Return whether an index has made a part, or left something unfinished: a user's files may begin alike."""
    finished = re.fullmatch(NAME_OF_PART, path.name) and path.is_dir()
    return bool(finished or UNFINISHED.fullmatch(path.name))
