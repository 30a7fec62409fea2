"""Make the table of a study: every condition's means, intervals and tests, as one long table.

python workflow/scripts/make_study_table.py --compare methods --reference contrastive --measures AP RR --axis variant \\
    --levels '{low: [sw], high: [de]}' --out table.tsv \\
    --jobs '[{variant: "", share: 10, collection: captions, lang: de, scores: de.tsv, bitext: train.tsv}]'
"""

from optical.evaluation.comparison import as_text
from optical.evaluation.study_table import METHODS, VARIANTS, read_conditions, study_rows
from optical.files import write_rows
from optical.program import program, run_program, yaml_value


def main(arguments):
    conditions = read_conditions(arguments.jobs)
    rows = study_rows(conditions, arguments.compare, arguments.reference, arguments.measures, arguments.levels)
    header = [arguments.axis, *list(rows[0])[1:]]
    write_rows(arguments.out, [header, *([as_text(value) for value in row.values()] for row in rows)], sealed=True)


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of study_table.StudyJob")
    parser.add_argument("--compare", choices=(METHODS, VARIANTS), required=True)
    parser.add_argument("--reference", required=True, help="the method, or the variant, that others are tested against")
    parser.add_argument("--measures", nargs="+", required=True)
    parser.add_argument("--levels", type=yaml_value, required=True, help="{low: [languages], high: [languages]}")
    parser.add_argument("--axis", default="variant", help="heading of the column that tells the variants apart")
    run_program(main, parser)
