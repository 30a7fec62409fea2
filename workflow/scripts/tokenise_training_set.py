"""Tokenise the queries and documents of a training set, and turn its triples and scores into memory-mapped numbers.

Example: python workflow/scripts/tokenise_training_set.py --tokeniser encoder --training-set folder --out tokens
"""

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
    rows_of_queries, rows_of_documents = {}, {}
    with atomic_folder(arguments.out) as folder:
        write_token_file(folder / "queries", arguments.tokeniser, _texts(_queries(source), rows_of_queries))
        write_token_file(folder / "documents", arguments.tokeniser, _texts(_documents(source), rows_of_documents))
        triples = write_triples(folder / "triples.npy", source / "triples.tsv", rows_of_queries, rows_of_documents)
        if (source / "scores.tsv").is_file():
            write_scores(folder / "scores", read_scores(source / "scores.tsv"), rows_of_queries, rows_of_documents)
            written = np.load(folder / "triples.npy", mmap_mode="r")
            check_scores(written, open_scores(folder / "scores"), len(rows_of_documents), source / "triples.tsv")
    log.info("%d queries, %d documents, %d triples", len(rows_of_queries), len(rows_of_documents), triples)


def _queries(source):
    return (row[:2] for row in read_rows(source / "queries.tsv", columns=2))


def _documents(source):
    for document in read_jsonl(source / "documents.jsonl"):
        yield document["id"], text_of(document)


def _texts(items, row_of):
    for identifier, text in items:
        row_of[identifier] = len(row_of)
        yield text


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--training-set", required=True, metavar="FOLDER", help="queries, documents, triples")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    run_program(main, parser)
