"""Draw what each query gains and loses by a method against its strongest rival, and list them with their texts.

python workflow/scripts/plot_queries.py --scores scores/atlas/*.tsv --cells tables/atlas/map_cells.tsv \\
    --queries collections/atlas/queries --collection atlas --measure AP --method optical --rivals mse contrastive \\
    --methods mse contrastive optical --names '{sw: Swahili}' --out queries.svg

A PNG of it and its data as TSV lie beside it. The TSV has a row per language and query, best first.
Of several rivals, the one with the highest mean over low-resource languages is taken, as in the report's first lines.
"""

from pathlib import Path

from optical.errors import DataError
from optical.evaluation.gains import gain_rows, query_means
from optical.evaluation.map_table import cells_of, strongest_rival
from optical.evaluation.scores import read_scores
from optical.files import read_rows
from optical.program import add_figure_arguments, log, program, run_program
from optical.report.figures.queries import draw_gains
from optical.report.figures.style import drawing, save_figure


def main(arguments):
    means = query_means(read_scores(arguments.scores), arguments.measure, arguments.collection)
    cells = cells_of(arguments.cells, arguments.collection, arguments.measure)
    rival = strongest_rival(cells, arguments.method, arguments.rivals)
    texts = {}
    for lang in ["en", *arguments.names]:
        path = Path(arguments.queries, f"{lang}.tsv")
        if lang != "en" or path.is_file():
            texts[lang] = {row[0]: row[1] for row in read_rows(path, columns=2)}
    rows = gain_rows(means, arguments.method, rival, texts)
    if not rows:
        what = f"no query has {arguments.measure} of both {arguments.method} and {rival}"
        raise DataError(what, where=arguments.scores[0], hint="check collection, measure and methods")
    log.info("%s against %s: %d queries", arguments.method, rival, len(rows))
    with drawing():
        save_figure(draw_gains(rows, arguments.methods, arguments.names, arguments.measure), rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--scores", nargs="+", required=True, help="scores of evaluate_run.py")
    parser.add_argument("--cells", required=True, metavar="FILE", help="long table of make_map_table.py")
    parser.add_argument("--queries", required=True, metavar="FOLDER", help="a file per language: query id, text")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--method", required=True)
    parser.add_argument("--rivals", nargs="+", required=True)
    add_figure_arguments(parser)
    run_program(main, parser)
