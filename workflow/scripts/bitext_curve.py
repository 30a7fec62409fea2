"""Put the means over shares of the sentence pairs together: a row per share, language and method.

python workflow/scripts/bitext_curve.py --collection atlas --measure AP --methods mse optical --out bitext_curve.tsv \\
    --jobs '[{share: 10, lang: sw, scores: 10/scores/sw.tsv, bitext: 10/bitext/sw.tsv}]'
"""

from optical.errors import DataError
from optical.evaluation.gains import query_means
from optical.evaluation.scores import read_scores
from optical.files import read_rows, write_rows
from optical.program import program, run_program, yaml_value

COLUMNS = ("collection", "lang", "method", "share", "pairs", "measure", "mean")


def main(arguments):
    rows = []
    for job in arguments.jobs:
        pairs = sum(1 for _ in read_rows(job["bitext"], columns=2))
        means = query_means(read_scores([job["scores"]]), arguments.measure, arguments.collection)
        for method in arguments.methods:
            query_values = means.get((method, job["lang"]), {}).values()
            if query_values:
                mean = f"{sum(query_values) / len(query_values):.6f}"
                rows.append((arguments.collection, job["lang"], method, job["share"], pairs, arguments.measure, mean))
    if not rows:
        raise DataError(f"no score of {arguments.measure}", where=arguments.jobs[0]["scores"], hint="check the methods")
    write_rows(arguments.out, [COLUMNS, *rows], sealed=True)


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {share, lang, scores, bitext}")
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--collection", required=True)
    parser.add_argument("--measure", required=True)
    run_program(main, parser)
