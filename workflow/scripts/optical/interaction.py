"""Late interaction (Khattab and Zaharia, SIGIR 2020) of the few texts of a batch, with gradients; `maxsim` searches.

Shapes: Q queries of M tokens, P documents of L tokens, D dimensions.
"""

import torch
from torch import Tensor


def max_sim(query_QMD: Tensor, query_mask_QM: Tensor, document_PLD: Tensor, document_mask_PL: Tensor) -> Tensor:
    """Late-interaction scores of all queries and documents: each query token's best cosine, summed; float32 (Q, P).

    A masked document token can never be the best one: it is set to minus infinity, where a product with zero would beat
    a negative cosine. A document without tokens scores minus infinity, a query without tokens 0 with every other.

    >>> eye = torch.eye(2)
    >>> max_sim(eye[None], torch.ones(1, 2), eye[None, :1], torch.ones(1, 1))
    tensor([[1.]])
    """
    (Q, M, D), (P, L, _) = query_QMD.shape, document_PLD.shape
    with torch.autocast(query_QMD.device.type, enabled=False):
        cosine = query_QMD.float().reshape(Q * M, D) @ document_PLD.float().reshape(P * L, D).T
    cosine_QMPL = cosine.view(Q, M, P, L).masked_fill(~document_mask_PL.bool(), -torch.inf)
    # max over one axis, not amax: it keeps the indices for the backward pass, not the whole product
    best_QMP = cosine_QMPL.max(3).values.masked_fill(~query_mask_QM.bool()[:, :, None], 0.0)
    return best_QMP.sum(1).masked_fill(~document_mask_PL.bool().any(1), -torch.inf)
