"""Tokenise both sides of a bitext into memory-mapped token files `english` and `foreign`.

Example: python workflow/scripts/tokenise_bitext.py --tokeniser encoder --bitext train.tsv --out tokens
"""

from optical.files import atomic_folder, read_rows
from optical.program import log, program, run_program
from optical.text.token_files import write_token_file


def main(arguments):
    tokenisers = {"english": arguments.tokeniser, "foreign": arguments.foreign_tokeniser or arguments.tokeniser}
    with atomic_folder(arguments.out) as folder:
        for column, (side, tokeniser) in enumerate(tokenisers.items()):
            texts = (row[column] for row in read_rows(arguments.bitext, columns=2))
            pairs = write_token_file(folder / side, tokeniser, texts)
    log.info("%d pairs", pairs)


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--foreign-tokeniser", metavar="FOLDER", help="of the foreign side, where it has another")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="english<TAB>foreign")
    run_program(main, parser)
