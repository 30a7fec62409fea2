"""Take a share of the sentence pairs of a language; every smaller share is part of the larger ones.

python workflow/scripts/sample_bitext.py --bitext train.tsv --share 10 --out sample.tsv

The pairs are ranked by a checksum of their text, so nothing depends on their order; they are written in the old order.
"""

from optical.bitext.samples import sample
from optical.errors import ConfigError, DataError
from optical.files import read_rows, write_rows
from optical.program import log, program, run_program


def main(arguments):
    if not 0 < arguments.share <= 100:
        raise ConfigError(f"a share of {arguments.share} %", where="--share", hint="give more than 0, at most 100")
    pairs = list(read_rows(arguments.bitext, columns=2))
    if not pairs:
        raise DataError("no sentence pairs", where=arguments.bitext, hint="see report.json beside it")
    kept = sample(pairs, size(len(pairs), arguments.share))
    log.info("%d of %d pairs", write_rows(arguments.out, kept, sealed=True), len(pairs))


def size(pairs, share):
    """Return how many pairs a share in per cent is, at least one."""
    return max(1, round(pairs * share / 100))


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="english<TAB>foreign")
    parser.add_argument("--share", type=float, required=True, help="per cent of the pairs")
    run_program(main, parser)
