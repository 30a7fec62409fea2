"""Train one word-piece tokeniser on the texts of all languages.

Example: python workflow/scripts/train_tokeniser.py --texts a.txt b.txt --vocabulary-size 8000 --out tokeniser
"""

from optical.files import atomic_folder, read_texts
from optical.program import log, program, run_program
from optical.text.tokeniser import save_tokeniser, train_tokeniser


def main(arguments):
    texts = (text for path in arguments.texts for text in read_texts(path))
    tokeniser = train_tokeniser(texts, arguments.vocabulary_size)
    with atomic_folder(arguments.out) as folder:
        save_tokeniser(tokeniser, folder, arguments.longest)
    log.info("%d subwords", tokeniser.get_vocab_size())


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--texts", nargs="+", required=True, metavar="FILE", help="one text a line, or tables of texts")
    parser.add_argument("--vocabulary-size", type=int, required=True)
    parser.add_argument("--longest", type=int, default=512, help="longest input that the encoder takes, in tokens")
    run_program(main, parser)
