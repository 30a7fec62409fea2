"""Clean, check, de-duplicate and split the sentence pairs of one language.

Example:
    python workflow/scripts/clean_bitext.py --lang so \\
        --sources '[{name: tico19, tmx: results/data/tico19.en-so.tmx.zip}]' --settings '{dev_pairs: 100}' \\
        --out-train results/bitext/so/train.tsv --out-dev results/bitext/so/dev.tsv \\
        --report results/bitext/so/report.json
"""

from optical.bitext.clean import clean_bitext
from optical.config.bitext import BitextCleaning, BitextSource
from optical.config.tables import read_languages
from optical.program import program, run_program, yaml_value


def main(arguments):
    key = f"bitext.{arguments.lang}"
    clean_bitext(
        [BitextSource.read(source, f"{key}[{number}]") for number, source in enumerate(arguments.sources)],
        arguments.lang,
        read_languages(arguments.languages, arguments.language_table),
        BitextCleaning.read(arguments.settings, "bitext_cleaning"),
        train=arguments.out_train,
        dev=arguments.out_dev,
        report=arguments.report,
        exclude=arguments.exclude,
    )


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--lang", required=True, help="our code of the foreign language")
    parser.add_argument("--sources", type=yaml_value, required=True, help="list of blocks as in bitext, files as paths")
    parser.add_argument("--settings", type=yaml_value, default={}, help="the block bitext_cleaning of the config")
    parser.add_argument("--exclude", nargs="*", default=[], help="evaluation files whose texts may not be trained on")
    parser.add_argument("--languages", default="config/languages.tsv", help="the table of languages")
    parser.add_argument("--language-table", type=yaml_value, default={}, help="additions to the table of languages")
    parser.add_argument("--out-train", required=True, help="TSV of training pairs")
    parser.add_argument("--out-dev", required=True, help="TSV of development pairs")
    parser.add_argument("--report", required=True, help="JSON report: counts, reasons, dropped row ranges, licences")
    run_program(main, parser)
