"""Score runs against relevance judgments: one row per query and measure. Many runs can share one start of the program.

python workflow/scripts/evaluate_run.py --qrels qrels.txt --measures AP --collection atlas --out scores.tsv --jobs \\
    '[{run: english.run, method: english, lang: sw, seed: 0, queries: queries/sw.tsv}, {run: english.run, ...}]'

A method that has no language of its own (human English queries) is one run, scored once for each language with that
language's queries file, so that it is measured on the same query ids as its neighbours in the column.
"""

from functools import lru_cache

from optical.errors import DataError
from optical.evaluation.measures import Ranking, evaluate, max_p, read_judgments, read_ranking
from optical.evaluation.scores import Score, write_scores
from optical.files import read_rows
from optical.program import jobs_from, log, program, run_program, yaml_value


def main(arguments):
    judgments = read_judgments(arguments.qrels)

    @lru_cache(maxsize=1)  # one at a time: a run of a thousand queries takes 120 MB
    def ranking_of(run: str) -> Ranking:
        return max_p(read_ranking(run)) if arguments.passages else read_ranking(run)

    rows = []
    for job in jobs_from(arguments, ("run", "method", "lang", "seed", "queries")):
        query_ids = [row[0] for row in read_rows(job["queries"], 2)]
        try:
            scores = evaluate(ranking_of(job["run"]), judgments, query_ids, arguments.measures)
        except DataError as error:
            raise DataError(error.what, where=error.where or job["queries"], hint=error.hint) from error
        rows += [Score(arguments.collection, job["method"], job["lang"], str(job["seed"]), *score) for score in scores]
    log.info("%s: %d scores", arguments.out, write_scores(arguments.out, rows))


if __name__ == "__main__":
    parser = program(__doc__, out="scores of all runs (TSV)")
    parser.add_argument("--qrels", required=True, help="TREC qrels")
    parser.add_argument("--measures", nargs="+", required=True, help="names of ir_measures, e.g. AP nDCG@10 R@100")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--passages", action="store_true", help="runs list passages: a document scores as its best")
    jobs_help = "list of {run, method, lang, seed, queries}; left out where no method searches"
    parser.add_argument("--jobs", type=yaml_value, default=[], help=jobs_help)
    run_program(main, parser)
