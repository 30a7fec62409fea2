"""Distil the teacher into a student query encoder for one language, from sentence pairs alone.

Example: python workflow/scripts/distil_student.py --teacher teacher --tokens tokens/sw \\
    --settings '{steps: 150, objectives: {optimal_transport: 1.0}, transport: {solver: sinkhorn}}' --out student
"""

import contextlib
import time
from pathlib import Path

from optical.files import atomic_folder
from optical.models.folders import load_encoder
from optical.program import add_training_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.runtime.provenance import write_provenance
from optical.text.token_files import TokenFile
from optical.training.checkpoints import Checkpoints, fingerprint
from optical.training.loop import save_curve, settings_from, train
from optical.training.student import DistillationLoss
from optical.training.teacher_vectors import encoded_english


def main(arguments):
    started = time.monotonic()
    machine, values = machine_from(arguments), arguments.settings
    device = machine.start()
    settings = settings_from(values)
    student = load_encoder(arguments.start or arguments.teacher).to(device)
    inputs = {"teacher": arguments.teacher, "tokens": arguments.tokens}
    inputs |= {"start": arguments.start} if arguments.start else {}
    checkpoints = Checkpoints(arguments.checkpoints, fingerprint(values, list(inputs.values()), __file__))
    tokens = Path(arguments.tokens)
    with teacher_vectors(arguments, student, machine.precision) as vectors:
        loss = DistillationLoss(student, tokens, vectors, settings, values)
        curve = train(student, loss, settings, machine, checkpoints, arguments.name)
    with atomic_folder(arguments.out) as folder:
        student.save(folder)
        save_curve(folder, curve)
        write_provenance(folder, values, inputs, started, device)
    checkpoints.remove()


def teacher_vectors(arguments, student, precision):
    """Give the folder of the teacher's vectors: the given one, or one made now, before the student has changed."""
    if arguments.vectors:
        return contextlib.nullcontext(Path(arguments.vectors))
    english = TokenFile(Path(arguments.tokens) / "english")
    device = next(student.parameters()).device
    teacher = load_encoder(arguments.teacher).to(device) if arguments.start else student
    return encoded_english(teacher, english, arguments.settings["sides"], precision)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--start", metavar="FOLDER", help="from extend_vocabulary: the student starts there")
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="from tokenise_bitext")
    parser.add_argument("--vectors", metavar="FOLDER", help="from encode_bitext; left out, they are computed now")
    parser.add_argument("--name", default="student", help="shown beside the progress")
    add_training_arguments(parser)
    run_program(main, parser)
