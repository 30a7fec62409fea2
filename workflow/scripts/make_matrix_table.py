"""Make the tables of any language to any language: every pair of a language of queries and one of passages, and means.

python workflow/scripts/make_matrix_table.py --scores scores/*/*.tsv --collection flores --langs en sw de \\
    --measure AP --passages '{flores-en: en, flores-sw: sw, flores-de: de}' \\
    --methods zero-shot score-kd optical --references zero-shot score-kd --out matrix.tsv --markdown matrix.md

The columns are those of make_map_table.py: `lang` is a pair such as sw-de (Swahili queries, German passages) or a
group of pairs, and `reference` is the method that a row's method is compared with.
"""

from optical.evaluation.matrix import write_matrix
from optical.evaluation.scores import read_scores
from optical.program import program, run_program, yaml_value


def main(arguments):
    scores, collection, passages = read_scores(arguments.scores), arguments.collection, arguments.passages
    compared = (arguments.methods, arguments.measure, arguments.references)
    write_matrix(scores, collection, arguments.langs, passages, *compared, arguments.out, arguments.markdown)


if __name__ == "__main__":
    parser = program(__doc__, out="long table of cells (TSV)")
    parser.add_argument("--scores", nargs="+", required=True, help="scores of evaluate_run.py")
    parser.add_argument("--collection", required=True, help="the collection with passages in several languages")
    parser.add_argument("--passages", type=yaml_value, required=True, help="collection -> language of its passages")
    parser.add_argument("--langs", nargs="+", required=True, help="languages of the queries")
    parser.add_argument("--methods", nargs="+", required=True, help="rows, in this order")
    parser.add_argument("--measure", required=True)
    parser.add_argument("--references", nargs="+", required=True, help="methods that the others are tested against")
    parser.add_argument("--markdown", required=True, help="the means and the matrix of each method")
    run_program(main, parser)
