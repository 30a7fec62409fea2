"""The losses of ranking: the positive before the other documents, and the scores of a cross-encoder.

Shape suffixes: B queries of a batch, N documents of a query, P documents of a batch.
"""

import torch
from torch import Tensor, nn

ABSENT = -1e4  # the score of no document: a weight of zero, and finite, as inf - inf would be NaN


def ranking_loss(scores_BP: Tensor, targets_B: Tensor, forbidden_BP: Tensor) -> Tensor:
    """Return the mean softmax cross-entropy of the positives among the documents that a query may be compared with.

    >>> scores = torch.tensor([[9.0, 0.0, 9.0]])
    >>> forbidden = torch.tensor([[False, False, True]])
    >>> ranking_loss(scores, torch.tensor([0]), forbidden).item() < 0.001
    True
    """
    return nn.functional.cross_entropy(scores_BP.masked_fill(forbidden_BP, float("-inf")), targets_B)


def distillation_loss(scores_BN: Tensor, given_BN: Tensor, there_BN: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence, given scores to own, of their softmax over a query's documents.

    Two softmaxes do not mind a constant that is added to all scores of a query:

    >>> own, given = torch.tensor([[1.0, 3.0, 0.0]]), torch.tensor([[-4.0, -2.0, 9.0]])
    >>> distillation_loss(own, given, torch.tensor([[True, True, False]])).item() < 1e-6
    True
    """
    own_BN, given_BN = (torch.where(there_BN, scores, ABSENT).log_softmax(1) for scores in (scores_BN, given_BN))
    return nn.functional.kl_div(own_BN, given_BN, reduction="batchmean", log_target=True)
