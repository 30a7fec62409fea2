"""A worker with sentence-transformers 6, as peers.py describes it: its `encode_document`, and its trainer."""

from functools import cache

from measuring import seconds_of_tensors
from peer_distillation import first_loss, train_seconds, trainer_of
from peers import serve
from sentence_transformers import MultiVectorEncoder, MultiVectorEncoderTrainer, MultiVectorEncoderTrainingArguments

from optical.runtime.precision import dtype_of
from optical.runtime.startup import keep_memory


@cache
def model_of(folder: str, precision: str, device: str) -> MultiVectorEncoder:
    """Load a model once."""
    return MultiVectorEncoder(folder, device=device).to(dtype_of(precision))


def encode(folder: str, texts: list[str], precision: str, device: str, batch_size: int, to: str = "") -> float:
    """Encode documents and return the seconds; with `to`, write their vectors."""
    model = model_of(folder, precision, device)
    options = {"batch_size": batch_size, "convert_to_numpy": True, "show_progress_bar": False}
    return seconds_of_tensors(lambda: model.encode_document(texts, **options), device, to)


def trainer(folder: str, device: str, helped: bool, **options: object) -> MultiVectorEncoderTrainer:
    """Make a new model and its trainer."""
    if helped:
        keep_memory()
    model = MultiVectorEncoder(f"{folder}/teacher", device=device)
    classes = MultiVectorEncoderTrainer, MultiVectorEncoderTrainingArguments
    given = {"helped": helped, "prompts": model.prompts["query"]}
    return trainer_of(model, classes, folder, device=device, **given, **options)


def train(**options: object) -> float:
    """Pass once over the pairs with the trainer and return the seconds."""
    return train_seconds(trainer(**options))


def gradient(to: str, **options: object) -> float:
    """Return the trainer's loss of the first batch; write its gradient."""
    return first_loss(trainer(**options), to)


if __name__ == "__main__":
    serve(encode, train, gradient)
