"""Say what descent and script explain of a study's matrix of source and target languages.

python workflow/scripts/explain_matrix.py --table results/studies/mtop/table.tsv --axis source --out distances.tsv
"""

from optical.config.tables import read_languages
from optical.evaluation.comparison import as_text
from optical.evaluation.language_distances import COLUMNS, distance_rows
from optical.files import read_table, write_rows
from optical.program import program, run_program, yaml_value


def main(arguments):
    languages = read_languages(arguments.languages, arguments.language_table)
    scripts = {code: language["script"] for code, language in languages.items()}
    rows = distance_rows(read_table(arguments.table), arguments.axis, scripts)
    write_rows(arguments.out, [COLUMNS, *([as_text(value) for value in row.values()] for row in rows)])


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--table", required=True, metavar="FILE", help="from make_study_table.py")
    parser.add_argument("--axis", required=True, help="the column of the source languages")
    parser.add_argument("--languages", default="config/languages.tsv", help="the table of languages")
    parser.add_argument("--language-table", type=yaml_value, default={}, help="additions to the table of languages")
    run_program(main, parser)
