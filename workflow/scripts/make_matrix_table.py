"""Make the tables of any language to any language: every pair of a language of queries and one of passages, and means.

python workflow/scripts/make_matrix_table.py --scores scores/*/*.tsv --collection flores --langs en sw de \\
    --measure AP --passages '{flores-en: en, flores-sw: sw, flores-de: de}' \\
    --methods zero-shot score-kd optical --references zero-shot score-kd --out matrix.tsv --markdown matrix.md

The columns are those of compare_methods.py: `lang` is a pair such as sw-de (Swahili queries, German passages) or a
group of pairs, and `reference` is the method that a row's method is compared with.
"""

from optical.evaluation.comparison import CELL_COLUMNS, cell_rows, compare_with_each
from optical.evaluation.matrix import GROUPS, matrix_lines, pair_groups, pair_of, pair_scores
from optical.evaluation.means_table import means_lines
from optical.evaluation.scores import read_scores
from optical.files import write_lines, write_rows
from optical.program import log, program, run_program, yaml_value

TESTS = (
    "In brackets: 95 % bootstrap interval; p: paired randomisation test over queries, Holm-corrected over these means. "
    "`one language` leaves out English, `never trained` are pairs without English, and `all pairs` are all except "
    "English to English."
)


def main(arguments):
    langs, passages = arguments.langs, list(arguments.passages.values())
    pairs = [pair_of(asked, read) for asked in langs for read in passages]
    groups = pair_groups(langs, passages)
    scores = pair_scores(read_scores(arguments.scores), arguments.collection, arguments.passages)
    compared = (pairs, [arguments.measure], arguments.references, groups)
    cells = compare_with_each(scores, arguments.collection, arguments.methods, *compared)
    write_rows(arguments.out, [CELL_COLUMNS, *cell_rows(cells)], sealed=True)
    columns = [(name, arguments.measure) for name in GROUPS if groups[name]]
    lines = [f"Mean {arguments.measure} on {arguments.collection}, by the languages of query and passage.", ""]
    lines += means_lines(cells, arguments.methods, columns, arguments.references, TESTS)
    lines += matrix_lines(cells, arguments.methods, langs, passages)
    write_lines(arguments.markdown, lines, sealed=True)
    log.info("%s: %d pairs of %d methods", arguments.out, len(pairs), len(arguments.methods))


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
