"""Draw the alignment of a sentence pair, before and after distillation, as two heat maps over whole words.

python workflow/scripts/plot_alignment.py --alignment alignments/sw.json --out figures/alignment/sw.svg

A PNG of it and its data as TSV lie beside it.
"""

from optical.files import read_json
from optical.program import program, run_program
from optical.report.figures.alignment import alignment_rows, draw_alignment
from optical.report.figures.style import drawing, save_figure

CAPTIONS = {"before": "before: the teacher reads it", "after": "after: the student reads it"}


def main(arguments):
    alignment = read_json(arguments.alignment)
    rows = alignment_rows(alignment)
    captions = {when: f"{caption}, cost {alignment[when]['transport_cost']:.2f}" for when, caption in CAPTIONS.items()}
    with drawing():
        save_figure(draw_alignment(rows, captions), rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--alignment", required=True, metavar="FILE", help="from align_sentences.py")
    run_program(main, parser)
