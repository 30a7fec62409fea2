"""Late interaction (ColBERT; Khattab and Zaharia, SIGIR 2020) between the texts of a batch, with gradients.

To search whole collections, use `optical.search`.

Shapes: Q queries of M tokens, K unmasked query tokens in all, P documents of L tokens, T document tokens in all, D
dimensions.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class _BestCosines(torch.autograd.Function):
    """The cosine of each query token with the nearest token of each document: float32 (K, P), -inf where it has none.

    Only these tokens get a gradient, P for each query token. Sparse products compute it with 1/L of the operations of
    the automatic gradient.
    """

    @staticmethod
    def forward(ctx, query_KD: Tensor, document_PLD: Tensor, document_mask_PL: Tensor) -> Tensor:
        P, L, D = document_PLD.shape
        document_TD = document_PLD.reshape(P * L, D)
        cosine_KPL = (query_KD @ document_TD.T).view(-1, P, L).masked_fill_(~document_mask_PL, -torch.inf)
        best_KP, place_KP = cosine_KPL.max(2)
        row_KP = place_KP + torch.arange(0, P * L, L, device=place_KP.device)
        ctx.save_for_backward(query_KD, document_TD, row_KP)
        return best_KP

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient_KP: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        query_KD, document_TD, row_KP = ctx.saved_tensors
        (K, P), T = row_KP.shape, len(document_TD)
        token_KP = torch.arange(K, device=row_KP.device)[:, None].expand(K, P)
        for_query, for_document, _ = ctx.needs_input_grad
        query_gradient_KD = document_gradient_PLD = None
        if for_query:
            query_gradient_KD = torch.sparse.mm(_sparse(token_KP, row_KP, gradient_KP, (K, T)), document_TD)
        if for_document:
            gradient_TD = torch.sparse.mm(_sparse(row_KP, token_KP, gradient_KP, (T, K)), query_KD)
            document_gradient_PLD = gradient_TD.view(P, T // P, -1)
        return query_gradient_KD, document_gradient_PLD, None


def _sparse(row_KP: Tensor, column_KP: Tensor, value_KP: Tensor, shape: tuple[int, int]) -> Tensor:
    places = torch.stack([row_KP.reshape(-1), column_KP.reshape(-1)])
    return torch.sparse_coo_tensor(places, value_KP.reshape(-1), shape, check_invariants=False)


def max_sim(query_QMD: Tensor, query_mask_QM: Tensor, document_PLD: Tensor, document_mask_PL: Tensor) -> Tensor:
    """Return the late-interaction score of each query with each document: the sum of its tokens' best cosines.

    A masked document token is never the best one: its cosine is set to minus infinity. Zero would be larger than a
    negative cosine.

    Args:
        query_QMD: unit vectors of the queries' tokens, of any float type.
        query_mask_QM: true at real tokens.
        document_PLD: unit vectors of the documents' tokens.
        document_mask_PL: true at real tokens.

    Returns:
        float32 (Q, P), with gradient to both sides. A document without tokens scores minus infinity; a query without
        tokens scores 0 with every other.

    >>> eye = torch.eye(2, requires_grad=True)
    >>> scores = max_sim(eye[None], torch.ones(1, 2), eye[None, :1], torch.ones(1, 1))
    >>> scores.backward()
    >>> scores
    tensor([[1.]], ...)
    """
    query_mask_QM, document_mask_PL = query_mask_QM.bool(), document_mask_PL.bool()
    with torch.autocast(query_QMD.device.type, enabled=False):
        best_KP = _BestCosines.apply(query_QMD[query_mask_QM].float(), document_PLD.float(), document_mask_PL)
    best_QMP = best_KP.new_zeros(*query_mask_QM.shape, len(document_PLD))
    best_QMP[query_mask_QM] = best_KP
    return best_QMP.sum(1).masked_fill(~document_mask_PL.any(1), -torch.inf)
