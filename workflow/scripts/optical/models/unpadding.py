"""A transformer that reads the tokens of a batch, and not its padding.

All parts of a transformer but attention read each token by itself. So the tokens of all texts go through it in one row,
and attention alone lays them out text by text. Of the documents of a teacher's batch a third or more would be padding.

Shape suffixes: B texts, L tokens of the longest text, T tokens of all texts, N heads, D size of a head, H hidden size,
X anything.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from optical.config.model_folders import first_position
from optical.runtime.devices import send

# Types whose tokens can be read in one row: given positions, they compute each token by itself, except for attention.
# Others read padded batches, as do all with another attention than ours.
UNPADDED = ("bert", "distilbert", "electra", "albert", "ernie", "roberta", "xlm-roberta", "camembert")
ATTENTION = "optical"  # our attention's name among those of the transformers library

Transformer = Any  # a model of that library, a torch.nn.Module: it types neither configs nor outputs


@dataclass(frozen=True)
class Layout:
    """Where each token of the row stands in the padded batch."""

    shape: tuple[int, int]  # (B, L)
    places_T: Tensor  # in the flattened batch, int64
    attended_B11L: Tensor  # bool

    def pad(self, values_TX: Tensor) -> Tensor:
        """Lay out a value for each token text by text, zeros where there is none: (B, L, X)."""
        padded_BLX = values_TX.new_zeros(self.shape[0] * self.shape[1], values_TX.shape[1])
        return padded_BLX.index_copy(0, self.places_T, values_TX).view(*self.shape, -1)

    def unpad(self, values_BLX: Tensor) -> Tensor:
        """Return what `pad` has laid out: (T, X)."""
        return values_BLX.flatten(0, 1).index_select(0, self.places_T)


def read_tokens(
    transformer: Transformer, ids_BL: Tensor, attended_BL: Tensor, read_BL: Tensor, positions_L: Tensor | None = None
) -> tuple[Tensor, Layout]:
    """Return the hidden state of each token that is read, (T, H), and the layout that brings it back to its place.

    The tensors may be on the processor still: where tokens stand is found out there without waiting for a GPU.

    Args:
        transformer: of the transformers library, without a head.
        ids_BL: token ids, int64.
        attended_BL: which tokens the others of their text attend to.
        read_BL: which get a hidden state, bool: those and perhaps more, as ColBERT's [MASK] that fill up a query.
        positions_L: the tokens' positions where they are not simply counted.
    """
    device = next(transformer.parameters()).device
    places_T = read_BL.flatten().nonzero()[:, 0]
    attended_B11L = attended_BL.bool()[:, None, None]
    layout = Layout((len(ids_BL), ids_BL.shape[1]), send(places_T, device), send(attended_B11L, device))
    if not _reads_unpadded(transformer.config):
        counted = {} if positions_L is None else {"position_ids": send(positions_L[None], device)}
        output = transformer(input_ids=send(ids_BL, device), attention_mask=send(attended_BL, device), **counted)
        return layout.unpad(output.last_hidden_state), layout
    columns_T = places_T % ids_BL.shape[1]
    first = first_position(transformer.config.model_type, transformer.config.pad_token_id)
    positions_T = columns_T + first if positions_L is None else positions_L[columns_T]
    ids_T = ids_BL.flatten()[places_T]
    output = transformer(
        input_ids=send(ids_T[None], device), position_ids=send(positions_T[None], device), layout=layout
    )
    return output.last_hidden_state[0], layout


def _reads_unpadded(config: Any) -> bool:
    return config._attn_implementation == ATTENTION and config.model_type in UNPADDED


def use_fastest_attention(transformer: Transformer) -> None:
    """Let a transformer of the library attend by `attention`; one that allows no such choice keeps its own."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ATTENTION, attention)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    transformer.set_attn_implementation(ATTENTION)


def attention(
    module: nn.Module,
    query_BNLD: Tensor,
    key_BNLD: Tensor,
    value_BNLD: Tensor,
    attended_BNLL: Tensor | None,
    *,
    scaling: float,
    dropout: float = 0.0,
    layout: Layout | None = None,
    **_others: object,
) -> tuple[Tensor, None]:
    """Attend within each text; the interface is that of the transformers library.

    With a layout the tensors are of shape (1, N, T, D), and so is the result, but with the heads behind the tokens.
    """
    if layout is not None:
        attended_BNLL = layout.attended_B11L
        query_BNLD, key_BNLD, value_BNLD = (_by_text(x, layout) for x in (query_BNLD, key_BNLD, value_BNLD))
    if (shared := query_BNLD.shape[1] // key_BNLD.shape[1]) > 1:  # heads of queries that share one of keys
        key_BNLD, value_BNLD = (x.repeat_interleave(shared, 1) for x in (key_BNLD, value_BNLD))
    on_processor = query_BNLD.device.type == "cpu"
    if on_processor and (query_BNLD.requires_grad or query_BNLD.dtype == torch.bfloat16):
        # There the fused one is slow: its gradient takes as long as all else in a step of short texts.
        score_BNLL = query_BNLD @ key_BNLD.transpose(2, 3) * scaling
        if attended_BNLL is not None:
            # Not -inf: padding that a window leaves nothing to attend to would be NaN, and spoil its text from there.
            score_BNLL = score_BNLL.masked_fill(~attended_BNLL, torch.finfo(score_BNLL.dtype).min)
        # In fp32, since that of bf16 takes twice as long and more; a gradient would keep the fp32 weights in memory.
        precise = None if score_BNLL.requires_grad else torch.float32
        weight_BNLL = score_BNLL.softmax(-1, dtype=precise).to(score_BNLL.dtype)
        if layout is None and attended_BNLL is not None:
            # A token that a window leaves nothing to attend to, such as a [MASK], gets zeros, as from the fused one.
            weight_BNLL = weight_BNLL.masked_fill(~attended_BNLL, 0.0)
        result_BNLD = F.dropout(weight_BNLL, dropout) @ value_BNLD
    else:
        result_BNLD = F.scaled_dot_product_attention(
            query_BNLD, key_BNLD, value_BNLD, attended_BNLL, dropout, scale=scaling
        )
    result_BLND = result_BNLD.transpose(1, 2)
    if layout is None:
        return result_BLND.contiguous(), None
    return layout.unpad(result_BLND.flatten(2)).view(1, -1, *result_BLND.shape[2:]), None


def _by_text(values_1NTD: Tensor, layout: Layout) -> Tensor:
    """Lay the tokens of one row out text by text: (B, N, L, D)."""
    values_TND = values_1NTD[0].transpose(0, 1)
    return layout.pad(values_TND.flatten(1)).unflatten(2, values_TND.shape[1:]).transpose(1, 2)
