"""Test collections and training sets: from whatever form they come in to the files that the workflow reads.

`READERS` and `TRAINING_READERS` say which function reads which `reader:` of the config. The keys of such a block are
the fields of its class, in `optical.config.collections` and `optical.config.training_sets`.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from optical.config.collections import CollectionBlock, PlainCollection
from optical.config.readers import reader_of
from optical.config.training_sets import CatalogueTrainingSet, Judged, PlainTrainingSet, TrainingSetBlock
from optical.corpora.afriqa import read_afriqa, read_afriqa_pairs
from optical.corpora.beir import read_beir
from optical.corpora.belebele import read_belebele
from optical.corpora.blocks import passage_files, query_files
from optical.corpora.choices import read_choices
from optical.corpora.clef import read_clef
from optical.corpora.files import (
    Collection,
    CollectionReport,
    TrainingSet,
    TrainingSetReport,
    read_documents,
    read_qrels,
    read_queries,
    write_collection,
    write_training_set,
)
from optical.corpora.flores import read_flores_articles
from optical.corpora.ir_datasets import read_ir_datasets, read_ir_datasets_training
from optical.corpora.miracl import read_miracl_swahili
from optical.corpora.mkqa import read_mkqa
from optical.corpora.mtop import read_mtop, read_mtop_pairs
from optical.corpora.multi30k import read_multi30k, read_multi30k_pairs
from optical.corpora.passages import Document, in_language
from optical.corpora.training_sets import read_plain_training, read_scores
from optical.errors import ConfigError
from optical.files import atomic_folder


def read_plain(block: PlainCollection, languages: list[str]) -> Collection:
    """Read a collection of the user's own.

    Documents are JSON Lines (`id`, `text`, optional `title`) or `id<TAB>text`, as MS MARCO has them; queries are
    `id<TAB>text`; qrels have TREC's four columns. Both may be missing: the documents can be searched, not judged by.
    Where documents are in several languages, each language has a file. The judgements are of all languages together; a
    collection in one of them leaves out the judgements of documents in the others.
    """
    files = passage_files(block.documents, block.passage_languages)
    read = {lang: read_documents(path) for lang, path in files.items()}
    several = chain.from_iterable(in_language(documents, lang) for lang, documents in read.items())
    documents: Iterable[Document] = several if len(read) > 1 else next(iter(read.values()))
    if block.queries is None or block.qrels is None:
        return Collection(documents, {}, [])
    return Collection(
        documents,
        {lang: read_queries(path) for lang, path in query_files(block.queries, languages).items()},
        read_qrels(block.qrels),
        block.partial_qrels or (len(files) == 1 and not isinstance(block.documents, str)),
    )


# Each takes the block of its own class, and a collection's the languages of the queries.
READERS: dict[str, Callable[[Any, list[str]], Collection]] = {
    "plain": read_plain,
    "ir_datasets": read_ir_datasets,
    "beir": read_beir,
    "clef": read_clef,
    "afriqa": read_afriqa,
    "flores_articles": read_flores_articles,
    "belebele": read_belebele,
    "mkqa": read_mkqa,
    "multi30k": read_multi30k,
    "mtop": read_mtop,
    "miracl_swahili": read_miracl_swahili,
    "choices": read_choices,
}

TRAINING_READERS: dict[str, Callable[[Any], TrainingSet]] = {
    "plain": read_plain_training,
    "ir_datasets": read_ir_datasets_training,
    "afriqa": read_afriqa_pairs,
    "multi30k": read_multi30k_pairs,
    "mtop": read_mtop_pairs,
}


def prepare_collection(
    block: CollectionBlock, languages: list[str], folder: str | Path, tokeniser: str | Path | None = None
) -> CollectionReport:
    """Read a collection and write it as a folder, all or nothing.

    Args:
        block: the collection's block of the config, with its files as paths.
        languages: those of the queries. English ones come along where there are human ones, asked for or not, and are
            no error where there are none.
        folder: where the collection goes.
        tokeniser: the folder of the tokeniser whose tokens `split` counts, where it counts tokens.
    Returns:
        its counts, as in `collection.json`.
    """
    languages = [lang for lang in languages if lang != "en"] or ["en"]
    with atomic_folder(folder) as temporary:
        collection = READERS[str(reader_of(type(block)))](block, languages)
        return write_collection(temporary, collection, block.split, tokeniser)


def prepare_training_set(block: TrainingSetBlock, folder: str | Path) -> TrainingSetReport:
    """Read a training set and write it as a folder, all or nothing; return its counts.

    Args:
        block: the training set's block of the config, with its files as paths and its ids in one language.
        folder: where the training set goes.
    """
    scores = block.scores if isinstance(block, PlainTrainingSet | CatalogueTrainingSet) else None
    if scores and isinstance(block, Judged) and block.swap:
        raise ConfigError("scores are of queries and documents: not of swapped sides", where=scores, hint="swap: false")
    with atomic_folder(folder) as temporary:
        training_set = TRAINING_READERS[str(reader_of(type(block)))](block)
        if scores:
            training_set = training_set._replace(scores=read_scores(scores))
        return write_training_set(temporary, training_set, block.max_triples)
