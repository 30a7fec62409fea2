"""Translate the second column of tables, queries or bitext, into English; the first column stays.

Example: python workflow/scripts/translate_queries.py --model nllb --source-code swh_Latn --target-code eng_Latn \\
    --queries queries/sw.tsv dev.tsv --out translated.tsv dev-translated.tsv

Of a bitext `english<TAB>foreign` this makes `english<TAB>translation`, which score_translations reads.
"""

from optical.errors import ConfigError
from optical.files import read_rows, write_rows
from optical.program import add_machine_arguments, log, program, run_program
from optical.runtime.machine import machine_from
from optical.translation.translate import Translator


def main(arguments):
    if len(arguments.queries) != len(arguments.out):
        raise ConfigError(f"{len(arguments.queries)} tables and {len(arguments.out)} outputs", hint="give one for each")
    machine = machine_from(arguments)
    codes = (arguments.source_code, arguments.target_code)
    translator = Translator(arguments.model, *codes, machine.start(), machine.precision)
    for source, out in zip(arguments.queries, arguments.out, strict=True):
        rows = list(read_rows(source, columns=2))
        translations = translator.translate([row[1] for row in rows], arguments.beams)
        write_rows(out, ([row[0], text] for row, text in zip(rows, translations, strict=True)), sealed=True)
        log.info("%s: %d texts", out, len(rows))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--model", required=True, metavar="FOLDER", help="a sequence-to-sequence checkpoint")
    parser.add_argument("--queries", nargs="+", required=True, metavar="FILE", help="query_id<TAB>text")
    parser.add_argument("--out", nargs="+", required=True, metavar="FILE", help="as many, query_id<TAB>translation")
    parser.add_argument("--source-code", default="", help="the language in the checkpoint's own code, if it has many")
    parser.add_argument("--target-code", default="", help="English in the checkpoint's own code, if it has many")
    parser.add_argument("--beams", type=int, default=4)
    add_machine_arguments(parser)
    run_program(main, parser)
