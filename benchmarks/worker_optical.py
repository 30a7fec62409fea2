"""A worker of this project, as peers.py describes it: it encodes, and passes over sentence pairs.

It answers the calls of the other workers too, so that it can stand for any of them.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from measuring import seconds_of_tensors
from our_distillation import TRANSPORT, our_loss, our_seconds, pair_losses, plain_seconds
from peers import serve

from optical.config.training import TrainingSettings
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.folders import load_encoder
from optical.runtime.startup import keep_memory
from optical.text.tokeniser import tokenise


@cache
def encoder_of(folder: str, device: str) -> Encoder:
    """Load an encoder once."""
    keep_memory()
    return load_encoder(folder).to(device)


def vectors_of(encoder: Encoder, texts: list[str], precision: str) -> list[torch.Tensor]:
    """The vectors of each document, in the texts' order, as the workflow computes them."""
    ids = list(tokenise(encoder.tokeniser, texts))
    found = {index: vectors for index, vectors, _ in encoder.encode(ids, DOCUMENT, precision=precision)}
    return [found[index] for index in range(len(texts))]


def encode(folder: str, texts: list[str], precision: str, device: str, batch_size: int = 0, to: str = "") -> float:
    """Encode documents and return the seconds; with `to`, write their vectors; batches are as the encoder cuts them."""
    encoder = encoder_of(folder, device)
    return seconds_of_tensors(lambda: vectors_of(encoder, texts, precision), device, to)


def train(
    folder: str,
    settings: dict[str, object],
    precision: str,
    device: str,
    helped: bool = True,
    objective: str = "optical",
) -> float:
    """Pass once over the pairs and return the seconds."""
    keep_memory()
    return our_seconds(Path(folder), objective, TrainingSettings(**settings), precision, device)


def gradient(to: str, folder: str, settings: dict[str, object], precision: str, device: str, helped: bool) -> float:
    """Return the loss of the first batch; write the gradient of the subwords' vectors."""
    loss_of = our_loss(Path(folder), "optical", TrainingSettings(**settings), precision, device)
    loss, _ = loss_of(0)
    loss.backward()
    torch.save(loss_of.student.transformer.get_input_embeddings().weight.grad.cpu(), to)
    return loss.item()


def plain(folder: str, batches: int, batch_size: int, device: str) -> float:
    """Pass over some batches with the plain loop and return the seconds."""
    return plain_seconds(Path(folder), pair_losses(TRANSPORT)["optical"], batches, batch_size, device)


def einsum_scores(queries: torch.Tensor, documents: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Score padded documents as PyLate's `colbert_scores` does without a fused backend."""
    scores = torch.einsum("ash,bth->abst", queries, documents) * mask.unsqueeze(0).unsqueeze(2)
    return scores.max(axis=-1).values.sum(axis=-1)


opened = cache(torch.load)  # reads a file once


@torch.no_grad()
def score(queries: str, batches: str, device: str, to: str = "", scores_of: Callable = einsum_scores) -> float:
    """Score batches of padded documents, vectors and mask, and return the seconds; with `to`, write the scores."""
    queries_there, batches_there = (opened(file, map_location=device) for file in (queries, batches))
    return seconds_of_tensors(lambda: (scores_of(queries_there, *batch) for batch in batches_there), device, to)


if __name__ == "__main__":
    serve(encode, train, gradient, plain, score)
