"""The losses of ranking: the positive before the other documents, and the scores of a cross-encoder.

Shape suffixes: B queries of a batch, N documents of a query, P documents of a batch.
"""

import torch
from torch import Tensor, nn

ABSENT = -1e4  # the score of no document: a weight of zero, and finite, as inf - inf would be NaN


def ranking_loss(scores_BP: Tensor, targets_B: Tensor, forbidden_BP: Tensor) -> Tensor:
    """Return the mean softmax cross-entropy of the positives (ColBERT; Khattab and Zaharia, SIGIR 2020).

    Args:
        scores_BP: of each query with each document, a float type; `max_sim` gives them.
        targets_B: the column of each query's positive, int64.
        forbidden_BP: true for documents that a query is not compared with, bool.

    Returns:
        A scalar with gradient.

    >>> scores_BP = torch.tensor([[9.0, 0.0, 9.0]])
    >>> ranking_loss(scores_BP, torch.tensor([0]), torch.tensor([[False, False, True]])).item() < 0.001
    True

    In a training loop, with in-batch negatives:

    >>> from optical.losses.late_interaction import max_sim
    >>> queries = nn.Linear(8, 4)
    >>> optimiser = torch.optim.Adam(queries.parameters(), lr=0.01)
    >>> token_QMH, document_QLD = torch.ones(3, 5, 8), torch.eye(4)[:3, None]
    >>> for _ in range(2):
    ...     query_QMD = nn.functional.normalize(queries(token_QMH), dim=-1)
    ...     scores_QQ = max_sim(query_QMD, torch.ones(3, 5), document_QLD, torch.ones(3, 1))
    ...     loss = ranking_loss(scores_QQ, torch.arange(3), torch.zeros(3, 3, dtype=torch.bool))
    ...     loss.backward()
    ...     optimiser.step()
    ...     optimiser.zero_grad()
    """
    return nn.functional.cross_entropy(scores_BP.masked_fill(forbidden_BP, float("-inf")), targets_B)


def distillation_loss(scores_BN: Tensor, wanted_BN: Tensor, present_BN: Tensor) -> Tensor:
    """Return the divergence of scores from those of a cross-encoder (ColBERTv2; Santhanam et al., NAACL 2022).

    It is the mean Kullback-Leibler divergence between the softmaxes of both over a query's documents. A constant that
    is added to all scores of a query changes nothing.

    Args:
        scores_BN: of each query with each of its documents, a float type, with gradient.
        wanted_BN: those of the cross-encoder.
        present_BN: false where a query has fewer documents than others, bool.

    Returns:
        A scalar with gradient.

    >>> scores_BN, wanted_BN = torch.tensor([[1.0, 3.0, 0.0]]), torch.tensor([[-4.0, -2.0, 9.0]])
    >>> distillation_loss(scores_BN, wanted_BN, torch.tensor([[True, True, False]])).item() < 1e-6
    True
    """
    scores_BN, wanted_BN = (torch.where(present_BN, x, ABSENT).log_softmax(1) for x in (scores_BN, wanted_BN))
    return nn.functional.kl_div(scores_BN, wanted_BN, reduction="batchmean", log_target=True)
