"""Make the table of means, methods by languages, from the long table: TSV, and on request Markdown and LaTeX.

python workflow/scripts/make_map_table.py --cells map_cells.tsv --collection atlas --methods bm25 nmt optical \\
    --langs sw so de --out map_table.tsv --markdown map_table.md --latex map_table.tex

Rows and columns come in the order given. The TSV holds plain numbers; an empty cell was not run.
"""

from optical.evaluation.held_out import read_held_out
from optical.evaluation.map_table import cells_of, describe, write_map_table
from optical.program import program, run_program


def main(arguments):
    cells = cells_of(arguments.cells, arguments.collection, arguments.measure)
    caption = describe(cells, arguments.collection, arguments.measure, arguments.note)
    held_out = read_held_out(arguments.held_out)
    forms = (arguments.out, arguments.markdown, arguments.latex)
    write_map_table(cells, arguments.methods, arguments.langs, caption, held_out, *forms)


if __name__ == "__main__":
    parser = program(__doc__, out="table of plain numbers (TSV)")
    parser.add_argument("--cells", required=True, help="long table of compare_methods.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--measure", default="AP")
    parser.add_argument("--methods", nargs="+", required=True, help="rows, in this order")
    parser.add_argument("--langs", nargs="+", required=True, help="columns, in this order")
    parser.add_argument("--held-out", nargs="*", default=[], help="tables of check_students.py, for the Markdown")
    parser.add_argument("--note", help="a sentence for the end of the caption")
    parser.add_argument("--markdown", help="table with ± and marks")
    parser.add_argument("--latex", help="table with ± and marks, for booktabs")
    run_program(main, parser)
