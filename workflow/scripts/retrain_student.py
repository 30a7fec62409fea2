"""Go on training the teacher with the ranking loss, on queries of another language.

Where the query side alone is trained, documents stay as the teacher encodes them, so that the index of a collection
serves this student too.

Example: python workflow/scripts/retrain_student.py --teacher teacher --training-set tokens --queries switched.tsv \\
    --settings '{steps: 150, sides: [query], in_batch_negatives: true, negatives: 1}' --out student
"""

from functools import partial
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from optical.config.fitting import fitted_settings
from optical.config.training import RetrainingSettings
from optical.files import read_rows
from optical.models.encoder import QUERY
from optical.models.folders import load_encoder
from optical.program import add_base_argument, add_training_arguments, program, run_program
from optical.runtime.machine import machine_from
from optical.text.tokeniser import tokenise
from optical.training.divergence import check_vectors
from optical.training.session import Session
from optical.training.subwords import saving
from optical.training.teacher import TeacherLoss


def main(arguments):
    settings = fitted_settings(RetrainingSettings, "student", arguments.settings, arguments.teacher)
    inputs = {"teacher": arguments.teacher, "training_set": arguments.training_set, "queries": arguments.queries}
    session = Session(settings, inputs, machine_from(arguments), arguments.checkpoints, __file__)
    student = load_encoder(arguments.teacher, base=arguments.base).to(session.device)
    unchanged = None
    if "document" not in settings.sides:
        unchanged = load_encoder(arguments.teacher, base=arguments.base).to(session.device)
    queries = word_pieces(student.tokeniser, arguments.queries) if arguments.queries else None
    loss = TeacherLoss(student, Path(arguments.training_set), settings, unchanged, queries)
    check = partial(check_vectors, student, loss.queries, QUERY, arguments.out)
    session.train(student, loss, arguments.out, saving(student, loss.ids_read(), base=arguments.teacher), check)


def word_pieces(tokeniser: Tokenizer, path: str) -> list[np.ndarray]:
    """Return the subwords of a table's second column."""
    texts = (row[1] for row in read_rows(path, columns=2))
    return [np.array(ids, dtype=np.int32) for ids in tokenise(tokeniser, texts)]


if __name__ == "__main__":
    parser = program(__doc__, out="the model's folder")
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--training-set", required=True, metavar="FOLDER", help="from tokenise_training_set")
    parser.add_argument("--queries", metavar="FILE", help="its queries in other words, in the same order")
    add_training_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
