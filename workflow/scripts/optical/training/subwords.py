"""Train large vocabularies at the cost of small ones: only the rows of the subword table that the training reads.

The sentence pairs of a language contain about 10,000 of XLM-R's 250,002 subwords. The other rows have no gradient, but
AdamW, the norm of the gradient and each checkpoint would process all rows. So a small table holds the rows of the
training's texts during the training. The other rows do not change. In the whole table, weight decay would shrink them:
the encoder would lose what it knows of words that this training does not show.

Shape suffixes: V rows of the whole table, R rows in use, H size of a row.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from optical.models.changes import save_changes
from optical.models.encoder import Encoder
from optical.runtime.limits import LARGE

log = logging.getLogger(__name__)

AT_ONCE = 1 << 24  # ids that are looked at together


def saving(encoder: Encoder, ids_read: Iterable[np.ndarray], base: str | Path | None = None) -> Callable[[Path], None]:
    """Prepare an encoder for training, and return the function that saves it afterwards.

    If its vocabulary is large, it has only the rows in use until it is saved.

    Args:
        encoder: will be trained, and is on its device already.
        ids_read: ids of the subwords of all texts that it will read, without special tokens, in arrays of any length.
        base: the folder that the encoder was loaded from, to store only the changes of a large vocabulary; None to
            store all of it.
    """
    table = encoder.transformer.get_input_embeddings()
    if table.num_embeddings <= LARGE or len(_sharing(encoder, table)) > 1:  # another part may need all of the weights
        return encoder.save
    rows = RowsInUse(encoder, table, [*ids_read, np.array(encoder.added_ids)])

    def save(folder: Path) -> None:
        changed_R = rows.put_back()
        if base is None:
            encoder.save(folder)
        else:
            save_changes(encoder, changed_R, folder, base)

    return save


class RowsInUse:
    """The rows of a subword table that a training reads, in place of the table; token ids do not change."""

    def __init__(self, model: nn.Module, table: nn.Embedding, ids_read: Iterable[np.ndarray]):
        """Let the table hold only the rows in use.

        Args:
            model: its parts that share the table's weights share the rows, too.
            table: is changed, until `put_back`.
            ids_read: all ids that will be looked up.
        """
        used_V = np.zeros(table.num_embeddings, dtype=bool)
        for ids in ids_read:
            for start in range(0, len(ids), AT_ONCE):
                used_V[ids[start : start + AT_ONCE]] = True
        self.padding_id = table.padding_idx
        if self.padding_id is not None:
            used_V[self.padding_id] = True
        device = table.weight.device
        self.table, self.whole_VH = table, table.weight.detach().cpu()
        self.sharing = _sharing(model, table)
        self.ids_R = torch.from_numpy(np.flatnonzero(used_V))
        places_V = torch.full((len(used_V),), -1).index_copy(0, self.ids_R, torch.arange(len(self.ids_R))).to(device)
        self._hold(self.whole_VH[self.ids_R], None if self.padding_id is None else int(places_V[self.padding_id]))
        tables = [part for part in self.sharing if isinstance(part, nn.Embedding)]
        self.hooks = [part.register_forward_pre_hook(lambda _, ids: (places_V[ids[0]],)) for part in tables]
        log.info("%d of %d subwords occur in the texts and are trained", len(self.ids_R), len(self.whole_VH))

    def put_back(self) -> Tensor:
        """Put the rows in use back into the whole table; return the ids of those that have changed."""
        trained_RH = self.table.weight.detach().cpu()
        changed_R = self.ids_R[(trained_RH != self.whole_VH[self.ids_R]).any(1)]
        self.whole_VH[self.ids_R] = trained_RH  # in place: a copy of the table may be half a gigabyte
        for hook in self.hooks:
            hook.remove()
        self._hold(self.whole_VH, self.padding_id)
        return changed_R

    def _hold(self, rows: Tensor, padding: int | None) -> None:
        old = self.table.weight
        weight = nn.Parameter(rows.to(old.device), requires_grad=old.requires_grad)
        for part in self.sharing:
            part.weight = weight
            if isinstance(part, nn.Embedding):
                part.num_embeddings, part.padding_idx = len(rows), padding


def _sharing(model: nn.Module, table: nn.Embedding) -> list[nn.Module]:
    """Return the parts of a model that use the weights of a table, which is one of them."""
    return [part for part in model.modules() if any(weight is table.weight for weight in part._parameters.values())]
