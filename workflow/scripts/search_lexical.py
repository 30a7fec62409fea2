"""Search a collection by words: BM25, or BM25 through a translation table. Many query files share one index.

python workflow/scripts/search_lexical.py --documents documents.jsonl --queries queries/sw.tsv queries/de.tsv \
    --runs-out runs/sw.txt runs/de.txt --settings '{k1: 0.9, b: 0.4}' --tag bm25

With `--translation-tables`, one a query file, in the same order (made by align_words.py), foreign queries meet English
documents as probabilistic structured queries.
"""

import argparse

from optical.errors import ConfigError
from optical.files import read_jsonl, read_rows
from optical.lexical import DEFAULTS, index_documents, search_bm25, search_psq
from optical.program import log, program, run_program, yaml_value
from optical.runs import write_run
from optical.word_alignment import read_table


def main(arguments: argparse.Namespace) -> None:
    tables = arguments.translation_tables or [None] * len(arguments.queries)
    if not len(arguments.queries) == len(arguments.runs_out) == len(tables):
        raise ConfigError(
            f"{len(arguments.queries)} query files, {len(arguments.runs_out)} runs, {len(tables)} translation tables",
            hint="give one run, and one table if any, for each query file",
        )
    index = index_documents(read_jsonl(arguments.documents), arguments.settings)
    log.info("%d documents, %d distinct words", len(index.document_ids), len(index.vocabulary))
    for queries_path, run_path, table_path in zip(arguments.queries, arguments.runs_out, tables, strict=True):
        queries = {query_id: text for query_id, text, *_ in read_rows(queries_path, 2)}
        if table_path:
            run = search_psq(index, queries, read_table(table_path), arguments.top_k)
        else:
            run = search_bm25(index, queries, arguments.top_k)
        write_run(run_path, run, arguments.tag)
        log.info("%s: %d queries, %d without results", run_path, len(run), sum(not hits for hits in run.values()))


if __name__ == "__main__":
    parser = program("Search a collection by words.")
    parser.add_argument("--documents", required=True, help="JSON Lines: id, text, optional title")
    parser.add_argument("--queries", nargs="+", required=True, help="query_id<TAB>text")
    parser.add_argument("--runs-out", nargs="+", required=True, help="TREC runs, one for each query file")
    parser.add_argument("--translation-tables", nargs="+", help="tables of align_words.py, one for each query file")
    parser.add_argument("--settings", type=yaml_value, default={}, help=f"over the defaults {DEFAULTS}")
    parser.add_argument("--top-k", type=int, default=1000, help="documents a query")
    parser.add_argument("--tag", default="bm25", help="the run's name in the file")
    run_program(main, parser)
