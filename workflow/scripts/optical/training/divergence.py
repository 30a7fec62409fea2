"""End training with one line if it diverges (the loss rises, all token vectors become alike) or learns nothing.

Shape suffixes: B texts, L tokens, T tokens of all texts, D vector size.
"""

import math
from collections.abc import Sequence
from statistics import fmean, variance

import torch
import torch.nn.functional as F

from optical.errors import ConfigError, ResourceError
from optical.models.dense import DenseEncoder
from optical.models.encoder import Encoder, Pieces

WINDOW = 20  # steps at least that a mean of the loss is taken over, or a tenth of all
RISEN = 1.5  # times the loss of the first window: then it has diverged, and not only wavered
NOISE = 3  # standard errors by which it must exceed that: a few batches may lose ten times what others do
TEXTS = 64  # whose vectors are looked at
ALIKE = 0.9  # mean cosine of tokens, from which search can hardly tell them apart: trained encoders have .01 to .05
ALIKE_TEXTS = 0.99  # of vectors of whole texts: those of multilingual-e5-small have .7 to .85
REMEDY = "lower the learning rate, or leave it out for the encoder's default"


def check_loss(rows: Sequence[dict[str, float]], steps: int, where: str) -> None:
    """Raise an error if the loss is clearly above that of the first steps, or has always been 0; check after a window.

    The check starts in the middle of the training. Until then, the loss of a student that started well may rise with
    the learning rate, and still fall to a quarter by the end.

    Args:
        rows: the learning curve so far.
        steps: how many the training takes.
        where: the training, for the message.

    Raises:
        ResourceError: the loss has risen.
        ConfigError: the loss of all steps of the first window is 0.
    """
    window = max(WINDOW, steps // 10)
    if len(rows) == window and not any(row["loss"] for row in rows):
        hint = "give an objective a weight, and each batch more than one text to compare"
        raise ConfigError(f"nothing is learnt: the loss of the first {window} steps is 0", where=where, hint=hint)
    if len(rows) < max(2 * window, steps / 2) or len(rows) % window:
        return
    parts = [[row["loss"] for row in part] for part in (rows[:window], rows[-window:])]
    (first, last), (first_variance, last_variance) = map(fmean, parts), map(variance, parts)
    noise = math.sqrt((last_variance + RISEN**2 * first_variance) / window)
    if first > 0 and last - RISEN * first > NOISE * noise:
        what = f"training diverges: the loss has risen from {first:.3g} to {last:.3g} in {len(rows)} steps"
        raise ResourceError(what, where=where, hint=REMEDY)


def check_vectors(encoder: Encoder, texts: Sequence[Pieces], kind: str, where: str) -> None:
    """Raise `ResourceError` if the vectors of all tokens are almost the same, or not finite.

    Args:
        encoder: does not change.
        texts: ids of the subwords of each text; only the first texts are read.
        kind: QUERY or DOCUMENT.
        where: the training, for the message.
    """
    if not len(texts):
        return
    ids_BL, attention_BL, _ = encoder.frame([texts[number] for number in range(min(TEXTS, len(texts)))], kind)
    content_BL = encoder.content_mask(ids_BL, attention_BL, kind)
    with torch.inference_mode():
        vectors_TD = encoder.eval()(ids_BL, attention_BL)[content_BL.to(next(encoder.parameters()).device)]
    if len(vectors_TD) < 2:
        return
    cosine = float(F.normalize(vectors_TD, dim=-1).mean(0).square().sum())
    if not cosine < (ALIKE_TEXTS if isinstance(encoder, DenseEncoder) else ALIKE):  # not a number is no smaller
        what = f"training diverged: the vectors of all tokens are alike, with a mean cosine of {cosine:.3f}"
        raise ResourceError(what, where=where, hint=REMEDY)
