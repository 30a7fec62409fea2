"""Put the sentence pairs of several languages together, for one student of all of them.

python workflow/scripts/mix_bitext.py --bitext bitext/sw/train.tsv bitext/so/train.tsv \\
    --reports bitext/sw/report.json bitext/so/report.json --report bitext/mul/report.json --out bitext/mul/train.tsv

Each language has as many pairs as the median language: some pairs of a larger one are left out, those of a smaller one
are repeated.
"""

from optical.bitext.samples import mixed
from optical.errors import DataError
from optical.files import read_json, read_rows, write_json, write_rows
from optical.program import log, program, run_program


def main(arguments):
    pairs_of = {path: list(read_rows(path, columns=2)) for path in arguments.bitext}
    for path, pairs in pairs_of.items():
        if not pairs:
            raise DataError("no sentence pairs", where=path, hint="see report.json beside it")
    pairs = mixed(pairs_of)
    count = write_rows(arguments.out, pairs, sealed=True)
    log.info("%d pairs, %d of each language", count, count // len(pairs_of))
    sources = [source for path in arguments.reports for source in read_json(path)["sources"]]
    write_json(arguments.report, {"language": "mul", "sources": sources, "train": count}, sealed=True)


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument(
        "--bitext", nargs="+", required=True, metavar="FILE", help="english<TAB>foreign, a file a language"
    )
    parser.add_argument("--reports", nargs="+", required=True, metavar="FILE", help="of clean_bitext, one a language")
    parser.add_argument("--report", required=True, metavar="FILE", help="where the sentence pairs come from")
    run_program(main, parser)
