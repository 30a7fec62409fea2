"""Tokenise both sides of a bitext into memory-mapped token files `english` and `foreign`.

Example: python workflow/scripts/tokenise_bitext.py --tokeniser encoder --bitext train.tsv --out tokens
"""

from operator import itemgetter

from optical.files import read_rows
from optical.program import log, program, run_program
from optical.training.bitext_tokens import tokenise_bitext


def main(arguments):
    tokenisers = {"english": arguments.tokeniser, "foreign": arguments.foreign_tokeniser or arguments.tokeniser}
    texts = {side: map(itemgetter(place), read_rows(arguments.bitext, 2)) for place, side in enumerate(tokenisers)}
    log.info("%d pairs", tokenise_bitext(arguments.out, texts, tokenisers))


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--foreign-tokeniser", metavar="FOLDER", help="of the foreign side, where it has another")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="english<TAB>foreign")
    run_program(main, parser)
