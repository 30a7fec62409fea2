"""Tokenise the pre-training texts of all languages into one memory-mapped token file.

Example: python workflow/scripts/tokenise_text.py --tokeniser tokeniser --texts a.txt b.txt --out tokens
"""

from optical.files import read_texts
from optical.program import log, program, run_program
from optical.text.token_files import write_token_file


def main(arguments):
    texts = (text for path in arguments.texts for text in read_texts(path))
    log.info("%d texts", write_token_file(arguments.out, arguments.tokeniser, texts))


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--texts", nargs="+", required=True, metavar="FILE", help="one text a line, or tables of texts")
    run_program(main, parser)
