"""Tokenise both sides of a bitext into memory-mapped token files `english` and `foreign`.

Example: python workflow/scripts/tokenise_bitext.py --tokeniser encoder --bitext train.tsv --out tokens
"""

from optical.files import atomic_folder, read_rows
from optical.models.framing import unknown_id
from optical.program import log, program, run_program
from optical.text.token_files import TokenFile, write_token_file
from optical.text.tokeniser import load_tokeniser

MOST_UNKNOWN = 0.05  # share of a side's tokens, from where the log warns


def main(arguments):
    tokenisers = {"english": arguments.tokeniser, "foreign": arguments.foreign_tokeniser or arguments.tokeniser}
    with atomic_folder(arguments.out) as folder:
        for column, (side, tokeniser) in enumerate(tokenisers.items()):
            texts = (row[column] for row in read_rows(arguments.bitext, columns=2))
            pairs = write_token_file(folder / side, tokeniser, texts)
            warn_of_unknown(folder / side, tokeniser)
    log.info("%d pairs", pairs)


def warn_of_unknown(folder, tokeniser):
    """Warn where a vocabulary lacks many words of a side: a model cannot tell one unknown token from another."""
    unknown = unknown_id(load_tokeniser(tokeniser))
    share = TokenFile(folder).share_of(unknown) if unknown is not None else 0.0
    if share > MOST_UNKNOWN:
        log.warning(
            "%.0f %% of the %s tokens are unknown to the encoder's vocabulary. "
            "Hint: name an encoder that knows the script, or encoder.source: train",
            *(100 * share, folder.name),
        )


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--foreign-tokeniser", metavar="FOLDER", help="of the foreign side, where it has another")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="english<TAB>foreign")
    run_program(main, parser)
