"""Encode the documents of a collection with the teacher's document side, once for every language and method.

Example: python workflow/scripts/encode_collection.py --encoder teacher --documents documents.jsonl --out vectors
"""

from optical.encoder import DOCUMENT, load_encoder
from optical.files import read_jsonl
from optical.machine import machine_from
from optical.program import add_machine_arguments, program, run_program
from optical.retrieval import encode_documents


def main(arguments):
    machine = machine_from(arguments)
    encoder = load_encoder(arguments.encoder).to(machine.start())
    documents = read_jsonl(arguments.documents)
    encode_documents(encoder, documents, DOCUMENT, arguments.out, machine.precision)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--encoder", required=True, metavar="FOLDER")
    parser.add_argument("--documents", required=True, metavar="FILE", help="JSON lines with id and text")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    add_machine_arguments(parser)
    run_program(main, parser)
