"""Tokenise the queries and documents of a training set, and turn its triples and scores into memory-mapped numbers.

Example: python workflow/scripts/tokenise_training_set.py --tokeniser encoder --training-set folder --out tokens
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from optical.corpora.passages import text_of
from optical.corpora.training_sets import read_scores
from optical.files import atomic_folder, read_jsonl, read_rows
from optical.program import log, program, run_program
from optical.text.token_files import write_token_file
from optical.training.triples import check_scores, open_scores, write_scores, write_triples


def main(arguments):
    source = Path(arguments.training_set)
    queries = ((query_id, text) for query_id, text, *_ in read_rows(source / "queries.tsv", columns=2))
    documents = ((document["id"], text_of(document)) for document in read_jsonl(source / "documents.jsonl"))
    rows: dict[str, dict[str, int]] = {"queries": {}, "documents": {}}
    with atomic_folder(arguments.out) as folder:
        for name, items in (("queries", queries), ("documents", documents)):
            write_token_file(folder / name, arguments.tokeniser, _texts(items, rows[name]))
        triples = write_triples(folder / "triples.npy", source / "triples.tsv", *rows.values())
        if (source / "scores.tsv").is_file():
            write_scores(folder / "scores", read_scores(source / "scores.tsv"), *rows.values())
            written = np.load(folder / "triples.npy", mmap_mode="r")
            check_scores(written, open_scores(folder / "scores"), len(rows["documents"]), source / "triples.tsv")
    log.info("%d queries, %d documents, %d triples", len(rows["queries"]), len(rows["documents"]), triples)


def _texts(items: Iterable[tuple[str, str]], row_of: dict[str, int]) -> Iterator[str]:
    """Yield the texts, and note the row of each by its identifier."""
    for identifier, text in items:
        row_of[identifier] = len(row_of)
        yield text


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--training-set", required=True, metavar="FOLDER", help="queries, documents, triples")
    run_program(main, parser)
