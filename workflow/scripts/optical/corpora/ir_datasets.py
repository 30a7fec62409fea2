"""Collections and training sets of the ir_datasets catalogue (MacAvaney et al., SIGIR 2021), streamed.

Its files live under `IR_DATASETS_HOME`. Before it downloads a file it takes `downloads/<md5>` there, which is how a
mirror of the project feeds it: `feed_from_mirror`. CLIRMatrix asks the network for its own catalogue as soon as an id
is loaded, so ids are checked here without loading them.
"""

import difflib
import gzip
import json
import logging
import os
import pkgutil
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from optical.corpora.files import Collection, TrainingSet, query_files
from optical.corpora.training_sets import training_from_qrels
from optical.errors import ConfigError, ResourceError
from optical.runtime.progress import with_progress

log = logging.getLogger("optical")

PARTS = ("docs", "queries", "qrels", "docpairs")


def check_ir_datasets_id(dataset_id: str, parts: Iterable[str]) -> None:
    """Raise `ConfigError` unless the catalogue has the id with these parts (docs, queries, qrels, docpairs).

    Nothing is downloaded and no network is needed: registered ids tell their parts, and the only ids made from
    patterns, CLIRMatrix's, have documents, and queries and qrels where they name a split.
    """
    registry = _ir_datasets().registry
    if dataset_id in set(registry):
        dataset = registry[dataset_id]
        found = [part for part in PARTS if dataset.has(part)]
    elif any(pattern.match(dataset_id) for pattern, _ in registry._patterns):
        found = ["docs", "queries", "qrels"] if dataset_id.count("/") > 1 else ["docs"]
    else:
        near = difflib.get_close_matches(dataset_id, list(registry), n=1)
        raise ConfigError(
            "ir_datasets has no such id",
            where=dataset_id,
            hint=f"did you mean {near[0]}?" if near else "see ir-datasets.com",
        )
    if missing := [part for part in parts if part not in found]:
        raise ConfigError(
            f"it has no {' and no '.join(missing)}",
            where=dataset_id,
            hint=f"it has {', '.join(found) or 'nothing itself'}",
        )


def ids_and_parts(settings: dict, languages: list[str], training: bool = False) -> list[tuple[str, list[str]]]:
    """Return every id that a config block needs, with the parts that are taken from it."""
    if training:
        last = "qrels" if settings.get("triples") == "qrels" else "docpairs"
        wanted = [(_id_for(settings, "documents"), "docs"), (_id_for(settings, "queries"), "queries")]
        wanted.append((_id_for(settings, "triples"), last))
    else:
        queries = _ids_by_language(settings, "queries", languages)
        qrels = settings.get("qrels_id", settings.get("id"))
        qrels_ids = _ids_by_language(settings, "qrels", languages).values() if _per_language(qrels) else [qrels]
        wanted = [(_documents_id(settings, languages), "docs")]
        wanted += [(value, "queries") for value in queries.values()] + [(value, "qrels") for value in qrels_ids]
    parts: dict[str, list[str]] = {}
    for dataset_id, part in wanted:
        parts.setdefault(dataset_id, []).append(part)
    return list(parts.items())


def names_english_queries(settings: dict) -> bool:
    """Return whether a collection's block names English queries beside those of its languages, judged as they are.

    >>> names_english_queries({"id": "clirmatrix/en/bi139-base/{lang}/dev"})
    False
    """
    ids, qrels = (settings.get(key, settings.get("id")) for key in ("queries_id", "qrels_id"))
    return isinstance(ids, dict) and "en" in ids and not _per_language(qrels)


def read_ir_datasets(settings: dict, languages: list[str]) -> Collection:
    """Read a test collection of the catalogue.

    `id` gives documents, queries and qrels; `documents_id`, `queries_id` and `qrels_id` replace it for one of them.
    Ids may differ by language (`{sw: ID}` or a name with `{lang}`); where the qrels do, so do the queries, and their
    ids get the language in front. `min_grade` (1) is the grade from which a document is relevant; `query_field` takes
    another field than the default text (`title`, `description`). `max_queries` keeps the first ones of each language;
    `max_documents` keeps the judged ones and then the first others; `documents: pooled` only the judged ones.
    """
    for dataset_id, parts in ids_and_parts(settings, languages):
        check_ir_datasets_id(dataset_id, parts)
    queries_ids = _ids_by_language(settings, "queries", languages)
    qrels_value = settings.get("qrels_id", settings.get("id"))
    own_qrels = _per_language(qrels_value)
    qrels_ids = _ids_by_language(settings, "qrels", languages) if own_qrels else {"all": qrels_value}
    qrels = [
        (f"{lang}-{query}" if own_qrels else query, document, grade)
        for lang, dataset_id in qrels_ids.items()
        for query, document, grade in _qrels(dataset_id, settings.get("min_grade", 1))
    ]
    judged_queries = {query_id for query_id, _, grade in qrels if grade > 0}
    queries = {}
    for lang, dataset_id in queries_ids.items():
        named = (
            (f"{lang}-{q}" if own_qrels else q, text) for q, text in _queries(dataset_id, settings.get("query_field"))
        )
        queries[lang] = list(islice((q for q in named if q[0] in judged_queries), settings.get("max_queries")))
    kept = {query_id for pairs in queries.values() for query_id, _ in pairs}
    qrels = [row for row in qrels if row[0] in kept]
    documents = _limited(
        _documents(_documents_id(settings, languages)),
        {document for _, document, _ in qrels},
        0 if settings.get("documents") == "pooled" else settings.get("max_documents"),
    )
    return Collection(documents, queries, qrels, partial_qrels=True)


def read_ir_datasets_training(settings: dict) -> TrainingSet:
    """Read a training set of the catalogue: `id`, or `documents_id`, `queries_id` and `triples_id`.

    `triples` is `docpairs` (as the catalogue has them, streamed) or `qrels` (pairs of query and relevant document; the
    keys of `training_from_qrels` apply: `min_grade`, `negatives`, `swap`, `query_words`). With `queries_id` in another
    language than `documents_id`, mMARCO gives translated queries for English documents: their ids are the same.
    """
    for dataset_id, parts in ids_and_parts(settings, [], training=True):
        check_ir_datasets_id(dataset_id, parts)
    documents = _documents(_id_for(settings, "documents"))
    queries = _queries(_id_for(settings, "queries"), settings.get("query_field"))
    triples_id = _id_for(settings, "triples")
    if settings.get("triples") == "qrels":
        return training_from_qrels(documents, queries, _qrels(triples_id, 0), settings)
    return TrainingSet(documents, queries, _docpairs(triples_id), source=triples_id)


def feed_from_mirror(mirror: str | Path, home: str | Path) -> int:
    """Link every file of the catalogue that the mirror holds to where ir_datasets looks for it; return how many.

    The mirror keeps a URL under `<host>/<path>`; ir_datasets looks for `<home>/downloads/<md5>` and checks the MD5.
    """
    contents = json.loads(pkgutil.get_data("ir_datasets", "etc/downloads.json"))
    linked = _link_downloads(contents, Path(mirror), Path(home))
    path = _mirrored(contents["clirmatrix"]["downloads"], Path(mirror))
    if path.is_file():  # CLIRMatrix has a list of downloads of its own
        with gzip.open(path, "rt", encoding="utf-8") as file:
            linked += _link_downloads(json.load(file), Path(mirror), Path(home))
    return linked


def _link_downloads(node: dict, mirror: Path, home: Path) -> int:
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
        own = link.with_name(f"{link.name}.{os.getpid()}")  # several jobs may do this at once
        own.symlink_to(path.resolve())
        own.replace(link)
    return 1


def _mirrored(node: dict, mirror: Path) -> Path:
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
        raise ConfigError("ir_datasets has no such id", where=dataset_id) from error


def _rows(dataset_id: str, part: str) -> Iterator:
    """Yield the rows of one part; a download that fails is one line, with what to do."""
    import requests

    try:
        dataset = _load(dataset_id)
        yield from getattr(dataset, f"{part}_iter")()
    except (requests.exceptions.RequestException, FileNotFoundError, RuntimeError) as error:
        raise ResourceError(
            f"could not get the {part}: {' '.join(str(error).split())[:200]}",
            where=dataset_id,
            hint="fetch it (again) where there is a network, or put it under IR_DATASETS_HOME/downloads/<md5>",
        ) from error


def _documents(dataset_id: str) -> Iterator[dict]:
    """Yield documents with the catalogue's default text (title and body where it has both); skip empty ones."""
    for document in _rows(dataset_id, "docs"):
        text = document.default_text()
        if text.strip():
            yield {"id": document.doc_id, "text": text}


def _queries(dataset_id: str, field: str | None) -> Iterator[tuple[str, str]]:
    """Yield query ids and texts."""
    for query in _rows(dataset_id, "queries"):
        if field and not hasattr(query, field):
            raise ConfigError(f"queries have no field {field!r}", where=dataset_id, hint=", ".join(query._fields))
        yield query.query_id, getattr(query, field) if field else query.default_text()


def _qrels(dataset_id: str, min_grade: int) -> Iterator[tuple[str, str, int]]:
    """Yield judgements; a grade below `min_grade` becomes 0."""
    for row in _rows(dataset_id, "qrels"):
        yield row.query_id, row.doc_id, row.relevance if row.relevance >= min_grade else 0


def _docpairs(dataset_id: str) -> Iterator[tuple[str, str, str]]:
    """Yield query, positive and negative ids."""
    for row in _rows(dataset_id, "docpairs"):
        yield row.query_id, row.doc_id_a, row.doc_id_b


def _limited(documents: Iterable[dict], judged: set[str], limit: int | None) -> Iterator[dict]:
    """Yield the judged documents, and others until there would be more than `limit`; everything without a limit."""
    room = None if limit is None else max(limit - len(judged), 0)
    for document in documents:
        if room is None or document["id"] in judged:
            yield document
        elif room > 0:
            room -= 1
            yield document


def _per_language(value: object) -> bool:
    """Say whether a setting names one id for each language."""
    return isinstance(value, dict) or "{lang}" in str(value)


def _id_for(settings: dict, part: str) -> str:
    """Return the one id that a training set takes a part from."""
    value = settings.get(f"{part}_id", settings.get("id"))
    if not isinstance(value, str):
        raise ConfigError(f"a training set needs one id for its {part}", where=value, hint=f"set id or {part}_id")
    return value


def _ids_by_language(settings: dict, part: str, languages: list[str]) -> dict[str, str]:
    """Return the id of each language, and of English where one is named."""
    value = settings.get(f"{part}_id", settings.get("id"))
    if isinstance(value, dict):
        return query_files(value, languages)
    if "{lang}" in value:
        return {lang: value.replace("{lang}", lang) for lang in languages}
    if len(languages) > 1:
        raise ConfigError(f"one id for the {part} of {len(languages)} languages", where=value, hint="{lang: id, ...}")
    return dict.fromkeys(languages, value)


def _documents_id(settings: dict, languages: list[str]) -> str:
    """Return the id of the documents, which all languages share."""
    value = settings.get("documents_id", settings.get("id"))
    if isinstance(value, str) and "{lang}" not in value:
        return value
    ids = list((value if isinstance(value, dict) else _ids_by_language(settings, "documents", languages)).values())
    corpora = {re.sub(r"^(clirmatrix/[^/]+)/.*", r"\1", dataset_id) for dataset_id in ids}
    if len(corpora) == 1:
        return ids[0] if len(set(ids)) == 1 else corpora.pop()
    raise ConfigError("the languages' ids have different documents", where=ids, hint="set documents_id")
