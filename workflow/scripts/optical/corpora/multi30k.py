"""Multi30k: captions of the same image, as a collection and as training pairs."""

from optical.config.collections import Multi30kCollection
from optical.config.training_sets import Multi30kTrainingSet
from optical.corpora.blocks import as_list, by_language
from optical.corpora.files import Collection, TrainingSet, comparable
from optical.corpora.passages import Document
from optical.errors import ConfigError, DataError
from optical.files import read_lines


def read_multi30k(block: Multi30kCollection, languages: list[str]) -> Collection:
    """Read Multi30k (Elliott et al., 2016): a foreign caption, and the English captions of the same image.

    The English captions are those of task 2, five files; queries are captions, independent (task 2, German) or
    translated (task 1). A task 1 caption is the translation of one of the five; `leave_out_source: true` drops that
    caption (the English query's text) from the documents, so that only independent captions count.
    """
    images = _image_names(block.images)
    query_images = _image_names(block.query_images) if block.query_images else images
    queries = {
        lang: [
            (f"{image}-{k}" if isinstance(files, list) else image, text)
            for k, path in enumerate(as_list(files), start=1)
            for image, text in _captions(path, query_images)
        ]
        for lang, files in by_language(block.queries, languages).items()
    }
    sources = set()
    if block.leave_out_source:
        if "en" not in queries:
            raise ConfigError("leave_out_source needs the English captions of task 1", hint="queries: {en: FILE, ...}")
        sources = {(query_id.split("-")[0], comparable(text)) for query_id, text in queries["en"]}
    documents = [
        Document(id=f"{image}-en{k}", text=text)
        for k, path in enumerate(as_list(block.captions), start=1)
        for image, text in _captions(path, images)
        if (image, comparable(text)) not in sources
    ]
    captions_of: dict[str, list[str]] = {}
    for document in documents:
        captions_of.setdefault(document["id"].split("-")[0], []).append(document["id"])
    query_ids = dict.fromkeys(query_id for pairs in queries.values() for query_id, _ in pairs)
    qrels = [(q, document_id, 1) for q in query_ids for document_id in captions_of.get(q.split("-")[0], [])]
    return Collection(documents, queries, qrels)


def read_multi30k_pairs(block: Multi30kTrainingSet) -> TrainingSet:
    """Read training pairs from Multi30k: the first English caption of an image asks for each of the others.

    Images of `held_out_images` must not occur. A caption that reads like one of `held_out` (two photographs of a man
    with a guitar) is left out.
    """
    if not block.captions:
        raise ConfigError("no file of captions", where="training_set.captions", hint="give one file or several")
    images = _image_names(block.images)
    held_out = {image for path in as_list(block.held_out_images) for image in _image_names(path)}
    if shared := held_out.intersection(images):
        raise DataError(f"{len(shared)} training images are test images", where=block.images, hint=min(shared))
    forbidden = {comparable(line) for path in as_list(block.held_out) for line in read_lines(path)}
    first, *others = (
        [(image, text) for image, text in _captions(path, images) if comparable(text) not in forbidden]
        for path in as_list(block.captions)
    )
    asked = dict(first)
    documents = [
        Document(id=f"{image}-en{k}", text=text)
        for k, captions in enumerate(others, start=2)
        for image, text in captions
    ]
    pairs = ((document["id"].split("-")[0], document["id"]) for document in documents)
    triples = (pair for pair in pairs if pair[0] in asked)
    return TrainingSet(documents, first, triples, source=block.captions)


def _image_names(path: str) -> list[str]:
    """Return the image of each line, without what the file system adds to it."""
    return [line.split("#")[0].removesuffix(".jpg").replace("-", "_") for line in read_lines(path)]


def _captions(path: str, images: list[str]) -> list[tuple[str, str]]:
    """Return the caption of each image."""
    lines = list(read_lines(path))
    if len(lines) != len(images):
        raise DataError(f"{len(lines)} captions for {len(images)} images", where=path, hint="splits must match")
    return list(zip(images, lines, strict=True))
