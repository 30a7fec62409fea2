"""Train the English late-interaction teacher (ColBERT) on triples.

Example: python workflow/scripts/train_teacher.py --encoder encoder --training-set tokens --out teacher \\
    --settings '{steps: 300, batch_size: 32, in_batch_negatives: true, negatives: 1, encoder: {dimension: 64}}'
"""

import time
from pathlib import Path

import torch

from optical.files import atomic_folder
from optical.models.encoder import settings_from_config
from optical.models.folders import load_encoder
from optical.program import add_training_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.runtime.provenance import write_provenance
from optical.training.checkpoints import Checkpoints, fingerprint
from optical.training.loop import save_curve, settings_from, train
from optical.training.teacher import TeacherLoss


def main(arguments):
    started = time.monotonic()
    machine, values = machine_from(arguments), arguments.settings
    device = machine.start()
    settings = settings_from(values)
    torch.manual_seed(settings.seed)  # the projection starts from random weights
    encoder = load_encoder(arguments.encoder, settings_from_config(values["encoder"])).to(device)
    inputs = {"encoder": arguments.encoder, "training_set": arguments.training_set}
    checkpoints = Checkpoints(arguments.checkpoints, fingerprint(values, list(inputs.values()), __file__))
    loss = TeacherLoss(encoder, Path(arguments.training_set), settings, values)
    curve = train(encoder, loss, settings, machine, checkpoints, "teacher")
    with atomic_folder(arguments.out) as folder:
        encoder.save(folder)
        save_curve(folder, curve)
        write_provenance(folder, values, inputs, started, device)
    checkpoints.remove()


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--encoder", required=True, metavar="FOLDER", help="Hugging Face layout")
    parser.add_argument("--training-set", required=True, metavar="FOLDER", help="from tokenise_training_set")
    add_training_arguments(parser)
    run_program(main, parser)
