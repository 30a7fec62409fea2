"""Go on training the teacher with the ranking loss, on queries of another language.

Where the query side alone is trained, documents stay as the teacher encodes them, so that the index of a collection
serves this student too.

Example: python workflow/scripts/retrain_student.py --teacher teacher --training-set tokens --queries switched.tsv \\
    --settings '{steps: 150, sides: [query], in_batch_negatives: true, negatives: 1}' --out student
"""

import time
from pathlib import Path

import numpy as np

from optical.files import atomic_folder, read_rows
from optical.models.folders import load_encoder
from optical.program import add_training_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.runtime.provenance import write_provenance
from optical.text.tokeniser import tokenise
from optical.training.checkpoints import Checkpoints, fingerprint
from optical.training.loop import save_curve, settings_from, train
from optical.training.teacher import TeacherLoss


def main(arguments):
    started = time.monotonic()
    machine, values = machine_from(arguments), arguments.settings
    device = machine.start()
    settings = settings_from(values)
    student = load_encoder(arguments.teacher).to(device)
    unchanged = None if "document" in values["sides"] else load_encoder(arguments.teacher).to(device)
    inputs = {"teacher": arguments.teacher, "training_set": arguments.training_set}
    inputs |= {"queries": arguments.queries} if arguments.queries else {}
    checkpoints = Checkpoints(arguments.checkpoints, fingerprint(values, list(inputs.values()), __file__))
    queries = word_pieces(student, arguments.queries) if arguments.queries else None
    loss = TeacherLoss(student, Path(arguments.training_set), settings, values, unchanged, queries)
    curve = train(student, loss, settings, machine, checkpoints, arguments.name)
    with atomic_folder(arguments.out) as folder:
        student.save(folder)
        save_curve(folder, curve)
        write_provenance(folder, values, inputs, started, device)
    checkpoints.remove()


def word_pieces(encoder, path):
    """Return the word pieces of a table's second column."""
    texts = (row[1] for row in read_rows(path, columns=2))
    return [np.array(ids, dtype=np.int32) for ids in tokenise(encoder.tokeniser, texts)]


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--training-set", required=True, metavar="FOLDER", help="from tokenise_training_set")
    parser.add_argument("--queries", metavar="FILE", help="its queries in other words, in the same order")
    parser.add_argument("--name", default="student", help="shown beside the progress")
    add_training_arguments(parser)
    run_program(main, parser)
