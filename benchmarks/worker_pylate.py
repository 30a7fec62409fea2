"""A worker with PyLate, as peers.py describes it: its `encode`, its training, and its scores.

PyLate trains with the trainer of sentence-transformers 5.3 and a collator that pads each text to the longest that the
model reads. That it pads to the longest of the batch is one of the helps.
"""

from functools import cache

from measuring import seconds_of_tensors
from peer_distillation import first_loss, train_seconds, trainer_of
from peers import serve
from pylate.models import ColBERT
from pylate.scores import colbert_scores
from pylate.utils import ColBERTCollator
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from worker_optical import score as optical_score

from optical.runtime.precision import dtype_of
from optical.runtime.startup import keep_memory


@cache
def model_of(folder: str, precision: str, device: str) -> ColBERT:
    """Load a model once."""
    return ColBERT(folder, device=device).to(dtype_of(precision))


def encode(folder: str, texts: list[str], precision: str, device: str, batch_size: int, to: str = "") -> float:
    """Encode documents and return the seconds; with `to`, write their vectors."""
    model = model_of(folder, precision, device)
    options = {"is_query": False, "batch_size": batch_size, "show_progress_bar": False}
    return seconds_of_tensors(lambda: model.encode(texts, **options), device, to)


def trainer(folder: str, device: str, helped: bool, **options: object) -> SentenceTransformerTrainer:
    """Make a new model and its trainer."""
    if helped:
        keep_memory()
    model = ColBERT(f"{folder}/teacher", device=device)
    read = (lambda texts, pad, **how: model.tokenize(texts, **how)) if helped else model.tokenize
    classes = SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    given = {"helped": helped, "data_collator": ColBERTCollator(read)}
    return trainer_of(model, classes, folder, device=device, **given, **options)


def train(**options: object) -> float:
    """Pass once over the pairs with the trainer and return the seconds."""
    return train_seconds(trainer(**options))


def gradient(to: str, **options: object) -> float:
    """Return the trainer's loss of the first batch; write its gradient."""
    return first_loss(trainer(**options), to)


def score(**options: object) -> float:
    """Score batches of padded documents and return the seconds."""
    scores_of = lambda queries, documents, mask: colbert_scores(  # noqa: E731
        queries, documents, documents_mask=mask, backend="torch"
    )
    return optical_score(scores_of=scores_of, **options)


if __name__ == "__main__":
    serve(encode, train, gradient, score)
