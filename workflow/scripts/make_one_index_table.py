"""Make the tables of one index with passages in all languages: recall among the first hits, by language.

python workflow/scripts/make_one_index_table.py --prepared collections/flores --collection flores --langs en sw \\
    --passage-languages en sw --methods zero-shot optical --references zero-shot --out one_index.tsv \\
    --markdown one_index.md --jobs '[{run: optical.trec, method: optical, lang: sw, seed: 1, queries: queries/sw.tsv}]'

The columns are those of make_map_table.py; `lang` is the language of the queries, or all of them.
"""

from pathlib import Path

from optical.evaluation.comparison import CELL_COLUMNS, cell_rows, compare_with_each
from optical.evaluation.means_table import means_lines
from optical.evaluation.measures import max_p, read_judgments, read_ranking
from optical.evaluation.one_index import index_measures, index_scores, languages_of_documents
from optical.files import read_jsonl, read_rows, write_lines, write_rows
from optical.program import jobs_from, log, program, run_program, yaml_value

ALL = "all languages"
TESTS = "In brackets: 95 % bootstrap interval; p: paired randomisation test over queries."


def main(arguments):
    prepared, langs = Path(arguments.prepared), arguments.passage_languages
    judgments = read_judgments(prepared / "qrels.txt")
    language_of = languages_of_documents(read_jsonl(prepared / "documents.jsonl"), arguments.passages)
    scores = []
    for job in jobs_from(arguments, ("run", "method", "lang", "seed", "queries")):
        ranking = read_ranking(job["run"])
        ranking = max_p(ranking) if arguments.passages else ranking
        query_ids = [row[0] for row in read_rows(job["queries"], 2)]
        scores += index_scores(job, arguments.collection, ranking, judgments, language_of, langs, query_ids)
    measures = index_measures(langs)
    compared = (arguments.langs, measures, arguments.references, {ALL: arguments.langs})
    cells = compare_with_each(scores, arguments.collection, arguments.methods, *compared)
    write_rows(arguments.out, [CELL_COLUMNS, *cell_rows(cells)], sealed=True)
    first = f"The first {len(langs)} hits on {arguments.collection}, passages of {len(langs)} languages in one index"
    columns = [(ALL, measure) for measure in measures]
    lines = [f"{first}; means over queries in {', '.join(arguments.langs)}.", ""]
    lines += means_lines(cells, arguments.methods, columns, arguments.references, TESTS)
    write_lines(arguments.markdown, lines, sealed=True)
    log.info("%s: %d scores", arguments.out, len(scores))


if __name__ == "__main__":
    parser = program(__doc__, out="long table of cells (TSV)")
    parser.add_argument("--prepared", required=True, metavar="FOLDER", help="the prepared collection")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--langs", nargs="+", required=True, help="languages of the queries")
    parser.add_argument("--passage-languages", nargs="+", required=True, help="languages of the passages")
    parser.add_argument("--methods", nargs="+", required=True, help="rows, in this order")
    parser.add_argument("--references", nargs="+", required=True, help="methods that the others are tested against")
    parser.add_argument("--passages", action="store_true", help="runs list passages: a document scores as its best")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {run, method, lang, seed, queries}")
    parser.add_argument("--markdown", required=True, help="the means over all languages of queries")
    run_program(main, parser)
