"""Test collections and training sets: from whatever form they come in to the files that the workflow reads.

`READERS` and `TRAINING_READERS` say which function reads which `reader:` of the config, which keys of such a block name
files, so that the workflow can resolve them first, which others it takes, and which it cannot do without.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from optical.config.checks import check_names, nearest
from optical.corpora.afriqa import read_afriqa, read_afriqa_pairs
from optical.corpora.belebele import read_belebele
from optical.corpora.choices import read_choices
from optical.corpora.clef import read_clef
from optical.corpora.files import (
    Collection,
    query_files,
    read_documents,
    read_qrels,
    read_queries,
    write_collection,
    write_training_set,
)
from optical.corpora.flores import read_flores_articles
from optical.corpora.ir_datasets import read_ir_datasets, read_ir_datasets_training
from optical.corpora.miracl import read_miracl_swahili
from optical.corpora.mtop import read_mtop, read_mtop_pairs
from optical.corpora.multi30k import read_multi30k, read_multi30k_pairs
from optical.corpora.training_sets import read_plain_training, read_scores
from optical.errors import ConfigError
from optical.files import atomic_folder


def read_plain(settings: dict, languages: list[str]) -> Collection:
    """Read a collection of the user's own: `documents`, `queries` `{lang: FILE}` and `qrels`.

    Documents are JSON Lines (`id`, `text`, optional `title`) or `id<TAB>text`, as MS MARCO has them; queries are
    `id<TAB>text`; qrels have TREC's four columns. `partial_qrels: true` leaves out judgements of what is not there.
    """
    files = query_files(settings["queries"], languages)
    return Collection(
        read_documents(settings["documents"]),
        {lang: read_queries(path) for lang, path in files.items()},
        read_qrels(settings["qrels"]),
        settings.get("partial_qrels", False),
    )


class Reader(NamedTuple):
    """Who reads a block of the config, which of its keys name files, what else the reader takes, and what it needs.

    An entry of `needs` is a key, or several of which one must be there: "triples or qrels".
    """

    read: Callable
    files: tuple[str, ...]
    others: tuple[str, ...]
    needs: tuple[str, ...]


ANY = ("reader", "languages", "documents_by", "split")  # keys of a collection, whoever reads it
ANY_TRAINING = ("reader", "max_triples")
CATALOGUE = ("id", "documents_id", "queries_id", "min_grade", "query_field")
FROM_QRELS = ("min_grade", "negatives", "swap", "query_words")

CATALOGUE_NEEDS = ("id or documents_id", "id or queries_id")

READERS: dict[str, Reader] = {
    "plain": Reader(
        read_plain, ("documents", "queries", "qrels"), (*ANY, "partial_qrels"), ("documents", "queries", "qrels")
    ),
    "ir_datasets": Reader(
        read_ir_datasets,
        (),
        (*ANY, *CATALOGUE, "qrels_id", "max_queries", "max_documents", "documents"),
        (*CATALOGUE_NEEDS, "id or qrels_id"),
    ),
    "clef": Reader(
        read_clef, ("documents", "topics", "qrels"), (*ANY, "fields", "encoding"), ("documents", "topics", "qrels")
    ),
    "afriqa": Reader(read_afriqa, ("questions", "passages", "without"), (*ANY, "titles"), ("questions",)),
    "flores_articles": Reader(
        read_flores_articles, ("sentences", "metadata"), (*ANY, "part", "seed"), ("sentences", "metadata")
    ),
    "belebele": Reader(read_belebele, ("questions",), ANY, ("questions",)),
    "multi30k": Reader(
        read_multi30k,
        ("captions", "images", "queries", "query_images"),
        (*ANY, "leave_out_source"),
        ("captions", "images", "queries"),
    ),
    "mtop": Reader(read_mtop, ("utterances",), (*ANY, "relevance", "document_language"), ("utterances",)),
    "miracl_swahili": Reader(read_miracl_swahili, ("topics", "passages"), ANY, ("topics", "passages")),
    "choices": Reader(read_choices, ("questions",), (*ANY, "form"), ("questions",)),
}

TRAINING_READERS: dict[str, Reader] = {
    "plain": Reader(
        read_plain_training,
        ("documents", "queries", "triples", "qrels", "scores"),
        (*ANY_TRAINING, *FROM_QRELS),
        ("documents", "queries", "triples or qrels"),
    ),
    "ir_datasets": Reader(
        read_ir_datasets_training,
        ("scores",),
        (*ANY_TRAINING, *CATALOGUE, *FROM_QRELS, "triples_id", "triples"),
        (*CATALOGUE_NEEDS, "id or triples_id"),
    ),
    "afriqa": Reader(read_afriqa_pairs, ("pairs", "held_out"), (*ANY_TRAINING, "titles"), ("pairs", "held_out")),
    "multi30k": Reader(
        read_multi30k_pairs,
        ("captions", "images", "held_out_images", "held_out"),
        ANY_TRAINING,
        ("captions", "images"),
    ),
    "mtop": Reader(
        read_mtop_pairs,
        ("utterances", "held_out"),
        (*ANY_TRAINING, "language", "triples_each", "seed"),
        ("utterances",),
    ),
}


def own_keys(block: Mapping, where: str, readers: Mapping[str, Reader]) -> dict:
    """Return what a block's reader takes from it; refuse a reader that is not there, a key that no reader takes, and a
    block without what its reader needs.

    Keys of another reader are left out: a config that changes the reader of a block inherits them.
    """
    name = block.get("reader", "")
    check_names([name], f"{where}.reader", readers, "see Readers in config/README.md")
    own = {*readers[name].files, *readers[name].others}
    others = {key for reader in readers.values() for key in (*reader.files, *reader.others)}
    for key in block.keys() - own - others:
        raise ConfigError(f"unknown key {key!r}", where=where, hint=nearest(key, own))
    for need in readers[name].needs:
        if all(block.get(key) is None for key in need.split(" or ")):
            hint = f"the reader {name} needs {', '.join(readers[name].needs)}: see Readers in config/README.md"
            raise ConfigError(f"{need} is missing", where=where, hint=hint)
    return {key: value for key, value in block.items() if key in own}


def prepare_collection(
    settings: dict, languages: list[str], folder: str | Path, tokeniser: str | Path | None = None
) -> dict:
    """Read a collection and write it as a folder, all or nothing; return its counts.

    English queries come along where there are human ones, asked for or not, and are no error where there are none.
    `settings` is the collection's block of the config, with file references resolved; `split: {length, stride, unit}`
    in any block splits its documents, by the tokens of `tokeniser` (a folder) where the unit is `tokens`.
    """
    settings = own_keys(settings, "settings", READERS)
    languages = [lang for lang in languages if lang != "en"] or ["en"]
    with atomic_folder(folder) as temporary:
        collection = READERS[settings["reader"]].read(settings, languages)
        return write_collection(temporary, collection, settings.get("split"), tokeniser)


def prepare_training_set(settings: dict, folder: str | Path) -> dict:
    """Read a training set and write it as a folder, all or nothing; `max_triples` in any block limits it."""
    settings = own_keys(settings, "settings", TRAINING_READERS)
    scores = settings.get("scores")
    if scores and settings.get("swap", False):
        raise ConfigError("scores are of queries and documents: not of swapped sides", where=scores, hint="swap: false")
    with atomic_folder(folder) as temporary:
        training_set = TRAINING_READERS[settings["reader"]].read(settings)
        if scores:
            training_set = training_set._replace(scores=read_scores(scores))
        return write_training_set(temporary, training_set, settings.get("max_triples"))
