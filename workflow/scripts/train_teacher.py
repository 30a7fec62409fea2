"""Train the English late-interaction teacher (ColBERT) on triples.

Example: python workflow/scripts/train_teacher.py --encoder encoder --training-set tokens --out teacher \\
    --settings '{steps: 300, batch_size: 32, in_batch_negatives: true, negatives: 1, encoder: {dimension: 64}}'
"""

from functools import partial
from pathlib import Path

import torch

from optical.config.fitting import fitted_settings
from optical.config.training import TeacherSettings
from optical.models.encoder import QUERY
from optical.models.folders import load_encoder
from optical.models.own_settings import own_settings
from optical.program import add_base_argument, add_training_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.training.divergence import check_vectors
from optical.training.session import Session
from optical.training.subwords import saving
from optical.training.teacher import TeacherLoss


def main(arguments):
    settings = fitted_settings(TeacherSettings, "teacher", arguments.settings, arguments.encoder)
    settings = settings.changed(encoder=own_settings(arguments.encoder, arguments.settings.get("encoder", {})))
    inputs = {"encoder": arguments.encoder, "training_set": arguments.training_set}
    session = Session(settings, inputs, machine_from(arguments), arguments.checkpoints, __file__)
    torch.manual_seed(settings.seed)  # the projection starts from random weights
    encoder = load_encoder(arguments.encoder, settings.encoder, arguments.base).to(session.device)
    loss = TeacherLoss(encoder, Path(arguments.training_set), settings)
    check = partial(check_vectors, encoder, loss.queries, QUERY, arguments.out)
    session.train(encoder, loss, arguments.out, saving(encoder, loss.ids_read()), check)


if __name__ == "__main__":
    parser = program(__doc__, out="the model's folder")
    parser.add_argument("--encoder", required=True, metavar="FOLDER", help="Hugging Face layout")
    parser.add_argument("--training-set", required=True, metavar="FOLDER", help="from tokenise_training_set")
    add_training_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
