"""Make the report of an experiment: one HTML file that opens anywhere, without a network.

python workflow/scripts/make_report.py --results results --collections '{atlas: [sw, de]}' --measures AP RR \\
    --methods english bm25 mse optical --reference optical --rivals bm25 mse --names '{sw: Swahili, de: German}' \\
    --out report.html --cost cost_table.tsv

It shows tables, queries and alignments of the results folder, translation quality if it was measured, and the figures
that are named. It sums what all jobs so far have cost: time, memory, and the energy of GPUs.
"""

from pathlib import Path

from optical.evaluation.held_out import read_held_out
from optical.evaluation.job_costs import cost_rows
from optical.files import read_text, write_lines, write_rows
from optical.program import log, program, run_program, yaml_value
from optical.report import provenance, sections
from optical.report.glossary import glossary_section
from optical.report.html import page, paragraph
from optical.report.pairs import language_pairs_section
from optical.report.queries import every_query_section
from optical.report.sections import Report

PAGE = [Path(sections.__file__).with_name(f"page.{kind}") for kind in ("html", "css", "js")]
TITLE = "Cross-lingual retrieval by optimal-transport distillation"


def main(arguments):
    report = Report(
        results=Path(arguments.results),
        collections=arguments.collections,
        names=arguments.names,
        methods=arguments.methods,
        measures=arguments.measures,
        reference=arguments.reference,
        rivals=arguments.rivals,
        settings=arguments.settings,
        english=arguments.english,
        figures=[Path(path) for path in arguments.figures],
    )
    held_out = read_held_out(arguments.held_out)
    cost = cost_rows(report.results / "benchmarks", report.settings.get("method_table", {}))
    write_rows(arguments.cost, cost, sealed=True)
    made = [
        sections.table_section(report),
        sections.differences_section(report),
        sections.held_out_section(held_out),
        sections.dots_section(report),
        sections.gap_section(report),
        language_pairs_section(report),
        sections.queries_section(report),
        every_query_section(report),
        sections.alignment_section(report),
        sections.curves_section(report),
        sections.bitext_section(report),
        sections.translation_section(report),
        sections.cost_section(cost),
        glossary_section(report),
        provenance.sentence_pairs_section(report),
        provenance.provenance_section(report),
    ]
    shown, langs = [section for section in made if section], arguments.passage_languages
    documents = "English documents" if langs == ["en"] else f"documents in {', '.join(langs)}"
    what = f"{len(report.methods)} methods, {len(report.names)} query languages, {documents}"
    about = " ".join(filter(None, [f"{what} ({', '.join(report.collections)}).", arguments.note]))
    lead = paragraph(about) + sections.summary(report, held_out)
    files = {path.name: read_text(path) for path in PAGE}
    write_lines(arguments.out, [page(files, TITLE, lead, shown).rstrip("\n")])
    log.info("%s: %d sections", arguments.out, len(shown))


if __name__ == "__main__":
    parser = program(__doc__, out="the page")
    parser.add_argument("--cost", required=True, help="the table of what the jobs took (TSV)")
    parser.add_argument("--results", required=True, metavar="FOLDER", help="results of the experiment")
    parser.add_argument("--collections", type=yaml_value, required=True, help="name -> list of its languages")
    parser.add_argument("--names", type=yaml_value, required=True, help="language code -> name, in the table's order")
    parser.add_argument("--passage-languages", nargs="+", default=["en"], metavar="LANG", help="of the documents")
    parser.add_argument("--methods", nargs="+", required=True, help="rows of the table, in this order")
    parser.add_argument("--measures", nargs="+", required=True, help="the first is the table's")
    parser.add_argument("--reference", required=True, help="the method that the others were tested against")
    parser.add_argument("--rivals", nargs="*", default=[], help="methods of which the strongest is set beside it")
    parser.add_argument("--english", nargs="*", default=[], help="methods that read human English queries")
    parser.add_argument("--figures", nargs="*", default=[], metavar="SVG", help="the figures to show")
    parser.add_argument("--held-out", nargs="*", default=[], help="tables of check_students.py")
    parser.add_argument("--note", help="a sentence about the encoder, for the top of the page")
    parser.add_argument("--settings", type=yaml_value, default={}, help="the experiment's config, to be shown")
    run_program(main, parser)
