"""Collections and training sets of the ir_datasets catalogue (MacAvaney et al., SIGIR 2021), streamed.

Its files live under `IR_DATASETS_HOME`. Before it downloads a file it takes `downloads/<md5>` there, which is how a
mirror of the project feeds it: `feed_from_mirror`. CLIRMatrix asks the network for its own catalogue as soon as an id
is loaded, so ids are checked here without loading them.
"""

import json
import logging
import lzma
import os
import pkgutil
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from optical.config.collections import CatalogueCollection
from optical.config.names import nearest
from optical.config.readers import Ids
from optical.config.training_sets import CatalogueTrainingSet
from optical.corpora.blocks import by_language
from optical.corpora.files import Collection, Judgement, Query, TrainingSet, with_text
from optical.corpora.passages import Document
from optical.corpora.training_sets import training_from_qrels
from optical.errors import ConfigError, DataError, ResourceError
from optical.files import read_json
from optical.runtime.progress import with_progress

log = logging.getLogger("optical")

PARTS = ("docs", "queries", "qrels", "docpairs")
Block = CatalogueCollection | CatalogueTrainingSet
Downloads = dict[str, Any]  # a branch of the catalogue's list of downloads


def check_ir_datasets_id(dataset_id: str, parts: Iterable[str]) -> None:
    """Raise `ConfigError` unless the catalogue has the id with these parts (docs, queries, qrels, docpairs).

    Nothing is downloaded and no network is needed: registered ids tell their parts, and the only ids made from
    patterns, CLIRMatrix's, have documents, and queries and qrels where they name a split.
    """
    registry = _ir_datasets().registry
    if dataset_id in set(registry):
        dataset = registry[dataset_id]
        available = [part for part in PARTS if dataset.has(part)]
    elif any(pattern.match(dataset_id) for pattern, _ in registry._patterns):
        available = ["docs", "queries", "qrels"] if dataset_id.count("/") > 1 else ["docs"]
    else:
        hint = nearest(dataset_id, registry, "see ir-datasets.com")
        raise ConfigError("ir_datasets has no such id", where=dataset_id, hint=hint)
    if missing := [part for part in parts if part not in available]:
        raise ConfigError(
            f"it has no {' and no '.join(missing)}",
            where=dataset_id,
            hint=f"it has {', '.join(available) or 'nothing itself'}",
        )


def ids_and_parts(block: Block, languages: list[str]) -> list[tuple[str, list[str]]]:
    """Return every id that a block needs, with the parts that are taken from it; of a collection in some languages."""
    if isinstance(block, CatalogueTrainingSet):
        last = "qrels" if block.triples == "qrels" else "docpairs"
        wanted = [(_id_for(block, "documents"), "docs"), (_id_for(block, "queries"), "queries")]
        wanted.append((_id_for(block, "triples"), last))
    else:
        wanted = [(_documents_id(block, languages), "docs")]
        wanted += [(dataset_id, "queries") for dataset_id in _ids_by_language(block, "queries", languages).values()]
        wanted += [(dataset_id, "qrels") for dataset_id in _qrels_ids(block, languages).values()]
    parts: dict[str, list[str]] = {}
    for dataset_id, part in wanted:
        parts.setdefault(dataset_id, []).append(part)
    return list(parts.items())


def names_english_queries(block: CatalogueCollection) -> bool:
    """Return whether a collection names English queries beside those of its languages, judged as they are.

    >>> names_english_queries(CatalogueCollection(reader="ir_datasets", id="clirmatrix/en/bi139-base/{lang}/dev"))
    False
    """
    queries = _ids(block, "queries")
    return isinstance(queries, dict) and "en" in queries and not _per_language(_ids(block, "qrels"))


def read_ir_datasets(block: CatalogueCollection, languages: list[str]) -> Collection:
    """Read a test collection of the catalogue.

    Where the judgements differ by language, so do the queries, and their ids get the language in front.
    """
    for dataset_id, parts in ids_and_parts(block, languages):
        check_ir_datasets_id(dataset_id, parts)
    own_qrels = _per_language(_ids(block, "qrels"))
    qrels = [
        (f"{lang}-{query}" if own_qrels else query, document, grade)
        for lang, dataset_id in _qrels_ids(block, languages).items()
        for query, document, grade in _qrels(dataset_id, block.min_grade)
    ]
    judged_queries = {query_id for query_id, _, grade in qrels if grade > 0}
    queries = {}
    for lang, dataset_id in _ids_by_language(block, "queries", languages).items():
        named = ((f"{lang}-{q}" if own_qrels else q, text) for q, text in _queries(dataset_id, block.query_field))
        queries[lang] = list(islice((q for q in named if q[0] in judged_queries), block.max_queries))
    kept = {query_id for pairs in queries.values() for query_id, _ in pairs}
    qrels = [row for row in qrels if row[0] in kept]
    documents = _limited(
        _documents(_documents_id(block, languages)),
        {document for _, document, _ in qrels},
        0 if block.documents == "pooled" else block.max_documents,
    )
    return Collection(documents, queries, qrels, partial_qrels=True)


def read_ir_datasets_training(block: CatalogueTrainingSet) -> TrainingSet:
    """Read a training set of the catalogue: its triples, streamed, or pairs made of its judgements.

    With `queries_id` in another language than `documents_id`, mMARCO gives translated queries for English documents:
    their ids are the same.
    """
    for dataset_id, parts in ids_and_parts(block, []):
        check_ir_datasets_id(dataset_id, parts)
    documents = _documents(_id_for(block, "documents"))
    queries = _queries(_id_for(block, "queries"), block.query_field)
    triples_id = _id_for(block, "triples")
    if block.triples == "qrels":
        return training_from_qrels(documents, queries, _Qrels(triples_id), block)
    triples = ((row.query_id, row.doc_id_a, row.doc_id_b) for row in _rows(triples_id, "docpairs"))
    return TrainingSet(documents, queries, triples, source=triples_id)


def feed_from_mirror(mirror: str | Path, home: str | Path) -> int:
    """Link every file of the catalogue that the mirror holds to where ir_datasets looks for it; return how many.

    The mirror keeps a URL under `<host>/<path>`; ir_datasets looks for `<home>/downloads/<md5>` and checks the MD5.
    """
    contents = json.loads(pkgutil.get_data("ir_datasets", "etc/downloads.json") or b"")
    linked = _link_downloads(contents, Path(mirror), Path(home))
    path = _mirrored(contents["clirmatrix"]["downloads"], Path(mirror))
    if path.is_file():  # CLIRMatrix has a list of downloads of its own
        linked += _link_downloads(read_json(path), Path(mirror), Path(home))
    return linked


def _link_downloads(node: Downloads, mirror: Path, home: Path) -> int:
    """Link the files of one branch of the catalogue's download list."""
    if not isinstance(node, dict):
        return 0
    if not isinstance(node.get("url"), str):
        return sum(_link_downloads(child, mirror, home) for child in node.values())
    path = _mirrored(node, mirror)
    if not path.is_file() or not node.get("expected_md5"):
        return 0
    link = home / "downloads" / node["expected_md5"]
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        pending = link.with_name(f"{link.name}.{os.getpid()}")  # several jobs may do this at once
        pending.symlink_to(path.resolve())
        pending.replace(link)
    return 1


def _mirrored(node: Downloads, mirror: Path) -> Path:
    """Return where a mirror keeps the file of a download entry, with the query of its address or without."""
    url = urlsplit(node["url"])
    path = mirror / url.netloc / url.path.lstrip("/")
    with_query = Path(f"{path}?{url.query}")
    return with_query if with_query.is_file() else path


def use_home(home: str | Path, mirror: str | Path | None = None) -> None:
    """Set where ir_datasets keeps its files, which it reads once, when it is imported; feed it from a mirror.

    Otherwise ir_datasets would download files below 5 MB without looking for a local copy first.
    """
    os.environ["IR_DATASETS_HOME"] = str(Path(home).resolve())
    os.environ["IR_DATASETS_SMALL_FILE_SIZE"] = "0"
    if mirror:
        log.info("ir_datasets: %d files taken from the mirror", feed_from_mirror(mirror, home))


def fetch_parts(dataset_id: str, parts: Iterable[str], home: str | Path) -> dict[str, int]:
    """Read parts of a dataset to their ends, which downloads what is not there yet; return their numbers of rows.

    ir_datasets downloads a file when its first row is asked for, and some parts lie in many files. One process at a
    time, because several ids share files.
    """
    from optical.fetch.download import exclusive

    check_ir_datasets_id(dataset_id, parts)
    with exclusive(Path(home) / "fetch"):
        return {part: sum(1 for _ in with_progress(_rows(dataset_id, part), f"fetching {part}")) for part in parts}


def _ir_datasets():
    """Import ir_datasets, which is slow and reads its settings from the environment."""
    import ir_datasets

    return ir_datasets


def _load(dataset_id: str):
    """Load a dataset; CLIRMatrix's ids may need a download to do so."""
    try:
        return _ir_datasets().load(dataset_id)
    except KeyError as error:
        raise ConfigError("ir_datasets has no such id", where=dataset_id, hint="see ir-datasets.com") from error


def _rows(dataset_id: str, part: str) -> Iterator:
    """Yield the rows of one part; a download that fails, or a damaged file, is one line, with what to do."""
    import requests

    try:
        dataset = _load(dataset_id)
        yield from getattr(dataset, f"{part}_iter")()
    except (requests.exceptions.RequestException, OSError, EOFError, RuntimeError) as error:
        raise ResourceError(
            f"could not get the {part}: {' '.join(str(error).split())[:200]}",
            where=dataset_id,
            hint="fetch it (again) where there is a network, or put it under IR_DATASETS_HOME/downloads/<md5>",
        ) from error
    except (ValueError, LookupError, AttributeError, TypeError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"could not read the {part}: {type(error).__name__}: {' '.join(str(error).split())[:200]}",
            where=dataset_id,
            hint="remove its files under IR_DATASETS_HOME and fetch them again",
        ) from error


def _text(value: object, what: str, dataset_id: str) -> str:
    """Return a text of the catalogue, an empty one for None; refuse half of a character, which no file can hold."""
    text = "" if value is None else str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"the {what} holds half of a character, {error.object[error.start]!a}"
        raise DataError(what, where=dataset_id, hint="tell the publisher; no file can hold it") from error
    return text


def _documents(dataset_id: str) -> Iterator[Document]:
    """Yield documents with the catalogue's default text (title and body where it has both); skip empty ones."""

    def documents() -> Iterator[Document]:
        for row in _rows(dataset_id, "docs"):
            name = _text(row.doc_id, "id of a document", dataset_id)
            yield Document(id=name, text=_text(row.default_text(), f"document {name}", dataset_id))

    return with_text(documents())


def _queries(dataset_id: str, field: str | None) -> Iterator[Query]:
    """Yield query ids and texts."""
    for query in _rows(dataset_id, "queries"):
        if field and not hasattr(query, field):
            raise ConfigError(f"queries have no field {field!r}", where=dataset_id, hint=", ".join(query._fields))
        name = _text(query.query_id, "id of a query", dataset_id)
        yield name, _text(getattr(query, field) if field else query.default_text(), f"query {name}", dataset_id)


def _qrels(dataset_id: str, min_grade: int) -> Iterator[Judgement]:
    """Yield judgements; a grade below `min_grade` becomes 0."""
    for row in _rows(dataset_id, "qrels"):
        if not isinstance(row.relevance, int):
            what = f"query {row.query_id}, document {row.doc_id}: the grade {row.relevance} is not a whole number"
            raise DataError(what, where=dataset_id, hint="take other judgements")
        yield row.query_id, row.doc_id, row.relevance if row.relevance >= min_grade else 0


class _Qrels:
    """All judgements of a dataset, read again at each iteration."""

    def __init__(self, dataset_id: str):
        self.dataset_id = dataset_id

    def __iter__(self) -> Iterator[Judgement]:
        return _qrels(self.dataset_id, 0)


def _limited(documents: Iterable[Document], judged: set[str], limit: int | None) -> Iterator[Document]:
    """Yield the judged documents, and others until there would be more than `limit`; everything without a limit."""
    room = None if limit is None else max(limit - len(judged), 0)
    for document in documents:
        if room is None or document["id"] in judged:
            yield document
        elif room > 0:
            room -= 1
            yield document


def _ids(block: Block, part: str) -> Ids:
    """Return the id that a block takes a part from, or its id by language."""
    ids = getattr(block, f"{part}_id") or block.id
    assert ids is not None, "checked where the block is read"
    return ids


def _per_language(ids: Ids) -> bool:
    """Return whether a setting names one id for each language."""
    return isinstance(ids, dict) or "{lang}" in ids


def _id_for(block: CatalogueTrainingSet, part: str) -> str:
    """Return the one id that a training set takes a part from."""
    ids = _ids(block, part)
    if not isinstance(ids, str):
        raise ConfigError(f"a training set needs one id for its {part}", where=ids, hint=f"set id or {part}_id")
    return ids


def _ids_by_language(block: CatalogueCollection, part: str, languages: list[str]) -> dict[str, str]:
    """Return the id of each language, and of English where one is named."""
    ids = _ids(block, part)
    if isinstance(ids, dict):
        return by_language(ids, languages)
    if "{lang}" in ids:
        return {lang: ids.replace("{lang}", lang) for lang in languages}
    if len(languages) > 1:
        raise ConfigError(f"one id for the {part} of {len(languages)} languages", where=ids, hint="{lang: id, ...}")
    return dict.fromkeys(languages, ids)


def _qrels_ids(block: CatalogueCollection, languages: list[str]) -> dict[str, str]:
    """Return the id of the judgements of each language, or the one that all languages share."""
    ids = _ids(block, "qrels")
    if isinstance(ids, str) and not _per_language(ids):
        return {"all": ids}
    return _ids_by_language(block, "qrels", languages)


def _documents_id(block: CatalogueCollection, languages: list[str]) -> str:
    """Return the id of the documents, which all languages share."""
    ids = _ids(block, "documents")
    if isinstance(ids, str) and "{lang}" not in ids:
        return ids
    every = list((ids if isinstance(ids, dict) else _ids_by_language(block, "documents", languages)).values())
    corpora = {re.sub(r"^(clirmatrix/[^/]+)/.*", r"\1", dataset_id) for dataset_id in every}
    if len(corpora) == 1:
        return every[0] if len(set(every)) == 1 else corpora.pop()
    raise ConfigError("the languages' ids have different documents", where=every, hint="set documents_id")
