"""Encode the documents of a collection with the teacher's document side, once for every language and method.

Example: python workflow/scripts/encode_collection.py --encoder teacher --documents documents.jsonl --out vectors
A part alone, one of eight: --part 2-of-8
"""

from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.program import add_base_argument, add_machine_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.runtime.provenance import content_hash
from optical.search.encoding import encode_documents
from optical.search.parts import part_from, read_part


def main(arguments):
    machine = machine_from(arguments)
    encoder = load_encoder(arguments.encoder, base=arguments.base).to(machine.start())
    documents = read_part(arguments.documents, arguments.part)
    made_by = content_hash(arguments.encoder)
    encode_documents(encoder, documents, DOCUMENT, arguments.out, machine.precision, made_by)


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--encoder", required=True, metavar="FOLDER")
    parser.add_argument("--documents", required=True, metavar="FILE", help="JSON lines with id and text")
    parser.add_argument("--part", type=part_from, default="1-of-1", metavar="N-of-PARTS", help="by place in the file")
    add_machine_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
