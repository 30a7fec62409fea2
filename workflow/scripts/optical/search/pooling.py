"""Fewer vectors for a document: similar ones are joined to their mean (Clavié, Chaffin and Adams 2024).

Shape suffixes: T tokens, G groups of tokens and the first token, D vector size.
"""

import numpy as np
import torch
from torch import Tensor


def pool_tokens(vectors_TD: Tensor, factor: int) -> Tensor:
    """Return the means of groups of similar vectors, of unit length, as sentence-transformers and PyLate make them.

    Args:
        vectors_TD: the token vectors of a document, of unit length. The first one, of [CLS], stays as it is.
        factor: how many vectors become one, on average.

    Returns:
        vectors_GD, with one vector in `factor` of those given, and the first one.
    """
    from scipy.cluster.hierarchy import fcluster, linkage  # a fifth of a second, of every search
    from scipy.spatial.distance import squareform

    first_1D, rest_TD = vectors_TD[:1], vectors_TD[1:].float()
    groups = max(len(rest_TD) // factor, 1)
    if groups >= len(rest_TD):
        return vectors_TD
    distance_TT = (1 - rest_TD @ rest_TD.T).clamp(0, 2).numpy()
    tree = linkage(squareform(distance_TT, checks=False), method="ward")
    group_T = np.unique(fcluster(tree, groups, criterion="maxclust"), return_inverse=True)[1]
    sums_GD = torch.zeros(int(group_T.max()) + 1, rest_TD.shape[1]).index_add(0, torch.from_numpy(group_T), rest_TD)
    pooled_GD = torch.nn.functional.normalize(sums_GD, dim=1)  # of a sum as of the mean
    return torch.cat([first_1D, pooled_GD.to(vectors_TD.dtype)])
