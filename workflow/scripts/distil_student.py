"""Distil the teacher into a student query encoder for one language, from sentence pairs alone.

Example: python workflow/scripts/distil_student.py --teacher teacher --tokens tokens/sw \\
    --settings '{steps: 150, objectives: {optimal_transport: 1.0}, transport: {solver: sinkhorn}}' --out student
"""

import tempfile
from pathlib import Path

from optical.config.fitting import fitted_settings
from optical.config.training import DistillationSettings
from optical.losses.objectives import build_objective
from optical.models.folders import load_encoder
from optical.program import add_base_argument, add_training_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.text.token_files import TokenFile
from optical.training.session import Session
from optical.training.student import DistillationLoss, train_student
from optical.training.teacher_vectors import encode_english


def main(arguments):
    settings = fitted_settings(DistillationSettings, "student", arguments.settings, arguments.teacher)
    inputs = {"teacher": arguments.teacher, "tokens": arguments.tokens, "start": arguments.start}
    session = Session(settings, inputs, machine_from(arguments), arguments.checkpoints, __file__)
    objective = build_objective(settings.objectives, settings.transport)
    start, tokens = arguments.start or arguments.teacher, Path(arguments.tokens)
    student = load_encoder(start, base=arguments.base).to(session.device)
    with tempfile.TemporaryDirectory(prefix="optical-") as temporary:
        vectors = Path(arguments.vectors or temporary)
        if not arguments.vectors:
            teacher = student
            if arguments.start:
                teacher = load_encoder(arguments.teacher, base=arguments.base).to(session.device)
            encode_english(teacher, TokenFile(tokens / "english"), settings.sides, vectors, session.machine.precision)
        loss = DistillationLoss(student, tokens, vectors, settings, objective)
        train_student(session, loss, arguments.out, start)


if __name__ == "__main__":
    parser = program(__doc__, out="the model's folder")
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--start", metavar="FOLDER", help="from extend_vocabulary: the student starts there")
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="from tokenise_bitext")
    parser.add_argument("--vectors", metavar="FOLDER", help="from encode_bitext; left out, they are computed now")
    add_training_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
