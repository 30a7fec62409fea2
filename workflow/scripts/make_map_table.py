"""Make the table of means, methods by languages, from the long table: TSV, and on request Markdown and LaTeX.

python workflow/scripts/make_map_table.py --cells map_cells.tsv --collection atlas --methods bm25 nmt optical \\
    --langs sw so de --out map_table.tsv --markdown map_table.md --latex map_table.tex

Rows and columns come in the order given. The TSV holds plain numbers; an empty cell was not run.
"""

from optical.evaluation.held_out import held_out_notes, read_held_out
from optical.evaluation.map_table import cells_of, describe, latex_lines, map_rows, markdown_lines
from optical.files import write_lines, write_rows
from optical.program import program, run_program


def main(arguments):
    cells = cells_of(arguments.cells, arguments.collection, arguments.measure)
    caption = " ".join(filter(None, [describe(cells, arguments.collection, arguments.measure), arguments.note]))
    write_rows(arguments.out, map_rows(cells, arguments.methods, arguments.langs), sealed=True)
    if arguments.markdown:
        notes = held_out_notes(read_held_out(arguments.held_out))
        lines = markdown_lines(cells, arguments.methods, arguments.langs, caption)
        write_lines(arguments.markdown, [*lines, *notes], sealed=True)
    if arguments.latex:
        write_lines(arguments.latex, latex_lines(cells, arguments.methods, arguments.langs, caption), sealed=True)


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
