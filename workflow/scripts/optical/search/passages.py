"""Encoded passages that queries are searched in, wherever they lie: a collection of an experiment, or an index."""

import json
from pathlib import Path
from typing import NamedTuple

from optical.corpora.passages import Document
from optical.errors import DataError
from optical.files import open_text


class Passages(NamedTuple):
    """Where the texts of passages lie, their token vectors, and the tokeniser that they were read with.

    The tokeniser is None where the model that reads the queries read the passages, too.
    """

    documents: Path
    shards: list[Path]
    tokeniser: Path | None


def read_passages(path: Path, wanted: set[str]) -> dict[str, Document]:
    """Return some documents of a collection by id, reading no further than the last of them."""
    documents: dict[str, Document] = {}
    first = '{"id": "'  # how the collection's lines begin: an id is compared before its line is parsed
    with open_text(path) as file:
        for line in file:
            if len(documents) == len(wanted):
                break
            if line.startswith(first):
                name = line[len(first) : line.find('"', len(first))]
                if "\\" not in name and name not in wanted:  # with a backslash it is not the id but its escaped form
                    continue
            document = json.loads(line)
            if document["id"] in wanted:
                documents[document["id"]] = document
    if missing := sorted(wanted - documents.keys()):
        hint = "the collection has changed since: encode it again"
        raise DataError(f"no document {missing[0]}, though it has vectors", where=path, hint=hint)
    return documents
