"""Test collections and training sets: from whatever form they come in to the files that the workflow reads.

`READERS` and `TRAINING_READERS` say which function reads which `reader:` of the config; `FILE_KEYS` and
`TRAINING_FILE_KEYS` say which keys of such a block name files, so that the workflow can resolve them first.
"""

import json
from collections.abc import Callable
from pathlib import Path

from optical.corpora_clef import read_clef
from optical.corpora_files import (
    Collection,
    TrainingSet,
    query_files,
    read_documents,
    read_qrels,
    read_queries,
    write_collection,
    write_training_set,
)
from optical.corpora_ir_datasets import read_ir_datasets, read_ir_datasets_training
from optical.corpora_open import (
    read_afriqa,
    read_afriqa_pairs,
    read_belebele,
    read_flores_articles,
    read_multi30k,
    read_multi30k_pairs,
)
from optical.corpora_questions import read_choices, read_miracl_swahili, read_mtop, read_mtop_pairs
from optical.corpora_training import read_plain_training
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


READERS: dict[str, Callable[[dict, list[str]], Collection]] = {
    "plain": read_plain,
    "ir_datasets": read_ir_datasets,
    "clef": read_clef,
    "afriqa": read_afriqa,
    "flores_articles": read_flores_articles,
    "belebele": read_belebele,
    "multi30k": read_multi30k,
    "mtop": read_mtop,
    "miracl_swahili": read_miracl_swahili,
    "choices": read_choices,
}

FILE_KEYS: dict[str, tuple[str, ...]] = {
    "plain": ("documents", "queries", "qrels"),
    "ir_datasets": (),
    "clef": ("documents", "topics", "qrels"),
    "afriqa": ("questions", "passages"),
    "flores_articles": ("sentences", "metadata"),
    "belebele": ("questions",),
    "multi30k": ("captions", "images", "queries", "query_images"),
    "mtop": ("utterances",),
    "miracl_swahili": ("topics", "passages"),
    "choices": ("questions",),
}

TRAINING_READERS: dict[str, Callable[[dict], TrainingSet]] = {
    "plain": read_plain_training,
    "ir_datasets": read_ir_datasets_training,
    "afriqa": read_afriqa_pairs,
    "multi30k": read_multi30k_pairs,
    "mtop": read_mtop_pairs,
}

TRAINING_FILE_KEYS: dict[str, tuple[str, ...]] = {
    "plain": ("documents", "queries", "triples", "qrels"),
    "ir_datasets": (),
    "afriqa": ("pairs", "held_out"),
    "multi30k": ("captions", "images", "held_out_images", "held_out"),
    "mtop": ("utterances", "held_out"),
}


def prepare_collection(
    settings: dict, languages: list[str], folder: str | Path, tokeniser: str | Path | None = None
) -> dict:
    """Read a collection and write it as a folder, all or nothing; return its counts.

    English queries come along where there are human ones, asked for or not, and are no error where there are none.
    `settings` is the collection's block of the config, with file references resolved; `split: {length, stride, unit}`
    in any block splits its documents, by the tokens of `tokeniser` (a folder) where the unit is `tokens`.
    """
    read = _reader(settings, READERS)
    languages = [lang for lang in languages if lang != "en"] or ["en"]
    with atomic_folder(folder) as temporary:
        return write_collection(temporary, read(settings, languages), settings.get("split"), tokeniser)


def prepare_training_set(settings: dict, folder: str | Path) -> dict:
    """Read a training set and write it as a folder, all or nothing; `max_triples` in any block limits it."""
    read = _reader(settings, TRAINING_READERS)
    with atomic_folder(folder) as temporary:
        return write_training_set(temporary, read(settings), settings.get("max_triples"))


def _reader(settings: dict, readers: dict[str, Callable]) -> Callable:
    """Return the function that reads a block."""
    name = settings.get("reader")
    if name not in readers:
        raise ConfigError(f"no reader {name!r}", where=json.dumps(settings)[:120], hint=f"one of {', '.join(readers)}")
    return readers[name]
