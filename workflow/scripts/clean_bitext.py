"""Clean, check, de-duplicate and split the sentence pairs of one language.

Example:
    python workflow/scripts/clean_bitext.py --lang so \\
        --sources '[{name: tico19, tmx: results/data/tico19.en-so.tmx.zip}]' --settings '{dev_pairs: 100}' \\
        --out-train results/bitext/so/train.tsv --out-dev results/bitext/so/dev.tsv \\
        --report results/bitext/so/report.json
"""

import argparse

from optical.bitext.clean import clean_bitext
from optical.config.tables import read_languages
from optical.errors import ConfigError
from optical.program import program, run_program, yaml_value


def main(arguments: argparse.Namespace) -> None:
    languages = read_languages(arguments.languages, arguments.language_table)
    if arguments.lang not in languages:
        raise ConfigError(f"unknown language {arguments.lang!r}", where=arguments.languages, hint="add a row")
    clean_bitext(
        [with_script(source, languages) for source in arguments.sources],
        languages[arguments.lang],
        train=arguments.out_train,
        dev=arguments.out_dev,
        report=arguments.report,
        settings=arguments.settings,
        exclude=arguments.exclude,
    )


def with_script(source, languages):
    """Return a source with the script of the language that stands where English stands, if it names one."""
    side = source.get("english_side", "en")
    if side not in languages:
        raise ConfigError(f"unknown language {side!r}", where="english_side", hint="add it to language_table")
    return source | {"english_script": languages[side]["script"]}


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--lang", required=True, help="our code of the foreign language")
    parser.add_argument("--sources", type=yaml_value, required=True, help="list of source blocks with files as paths")
    parser.add_argument("--settings", type=yaml_value, default={}, help="changes to the settings of the cleaning")
    parser.add_argument("--exclude", nargs="*", default=[], help="evaluation files whose texts may not be trained on")
    parser.add_argument("--languages", default="config/languages.tsv", help="the table of languages")
    parser.add_argument("--language-table", type=yaml_value, default={}, help="additions to the table of languages")
    parser.add_argument("--out-train", required=True, help="TSV of training pairs")
    parser.add_argument("--out-dev", required=True, help="TSV of development pairs")
    parser.add_argument("--report", required=True, help="JSON report: counts, reasons, dropped row ranges, licences")
    run_program(main, parser)
