"""Search a collection by words: BM25, or BM25 through a lexical table. Many runs can share one index.

python workflow/scripts/search_lexical.py --documents documents.jsonl --jobs '[{queries: queries/sw.tsv, out: bm25.txt,
    tag: bm25}, {queries: queries/sw.tsv, out: smt.txt, tag: smt, lexical_table: tables/sw.tsv, settings: {}}]'

With a lexical table (made by align_words.py) foreign queries meet English documents as probabilistic structured
queries.
"""

from functools import cache

from optical.bitext.word_alignment import read_lexical_table
from optical.config.methods import LexicalSettings
from optical.errors import DataError
from optical.files import read_jsonl, read_rows
from optical.program import jobs_from, log, program, run_program, yaml_value
from optical.search.lexical import LexicalIndex, index_documents, search_bm25, search_psq
from optical.search.runs import write_run


def main(arguments):
    @cache
    def index_with(settings: LexicalSettings) -> LexicalIndex:
        index = index_documents(read_jsonl(arguments.documents), settings)
        if not index.vocabulary:
            raise DataError("the documents have no words", where=arguments.documents, hint="is it the right file?")
        log.info("%d documents, %d distinct words, %s", len(index.document_ids), len(index.vocabulary), settings)
        return index

    for job in jobs_from(arguments, ("queries", "out", "tag")):
        settings = LexicalSettings.read(job.get("settings") or {}, "lexical")
        index = index_with(settings)  # type: ignore[arg-type]  # settings are frozen, and so hashable
        queries = {query_id: text for query_id, text, *_ in read_rows(job["queries"], 2)}
        if job.get("lexical_table"):
            run = search_psq(index, queries, read_lexical_table(job["lexical_table"]), arguments.top_k)
        else:
            run = search_bm25(index, queries, arguments.top_k)
        write_run(job["out"], run, job["tag"])
        log.info("%s: %d queries, %d without results", job["out"], len(run), sum(not hits for hits in run.values()))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--documents", required=True, help="JSON Lines: id, text, optional title")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="[{queries, out, tag, settings, lexical_table}]")
    parser.add_argument("--top-k", type=int, default=1000, help="documents a query")
    run_program(main, parser)
