"""Encode the English side of a bitext with the teacher, once for all methods and seeds of a language.

Example: python workflow/scripts/encode_bitext.py --teacher teacher --tokens tokens/sw --sides query --out vectors/sw
"""

from pathlib import Path

from optical.files import atomic_folder
from optical.models.folders import load_encoder
from optical.program import add_base_argument, add_machine_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.text.token_files import TokenFile
from optical.training.teacher_vectors import encode_english


def main(arguments):
    machine = machine_from(arguments)
    device = machine.start()
    teacher = load_encoder(arguments.teacher, base=arguments.base).to(device)
    english = TokenFile(Path(arguments.tokens) / "english")
    with atomic_folder(arguments.out) as folder:
        encode_english(teacher, english, arguments.sides, folder, machine.precision)


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="from tokenise_bitext")
    parser.add_argument("--sides", nargs="+", default=["query"], choices=("query", "document"))
    add_machine_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
