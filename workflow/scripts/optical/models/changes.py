"""Models stored as changes to their base: the weights of the body, and those rows of the subword table that changed.

Of multilingual-e5-small 96 of 118 million weights are rows of subwords, and a student changes a few thousand rows. What
does not change is read from the base, the teacher or the encoder with further subwords that the student started from.

Shape suffixes: R rows that changed, V rows of the table, H size of a row.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from optical.errors import DataError
from optical.models.encoder import Encoder
from optical.models.layout import COMPLETE
from optical.models.unpadding import Transformer
from optical.runtime.base import write_base

FILE = "changes.safetensors"
PLACES, ROWS = "changed subwords: ids", "changed subwords: rows"  # besides the names of the body's weights


def save_changes(encoder: Encoder, changed_R: Tensor, folder: Path, base: str | Path) -> None:
    """Write an encoder as `load_encoder` reads it beside its base.

    Args:
        encoder: with the whole table of subwords.
        changed_R: ids of all rows of the table that may differ from the base's, int64.
        folder: is filled; it must lie where it stays, or beside that.
        base: folder of the model that the encoder started from.
    """
    table_VH = encoder.transformer.get_input_embeddings().weight
    body = {name: weight for name, weight in encoder.transformer.state_dict().items() if not _same(weight, table_VH)}
    weights = body | {PLACES: changed_R, ROWS: table_VH.detach()[changed_R.to(table_VH.device)]}
    save_file({name: weight.cpu().contiguous() for name, weight in weights.items()}, folder / FILE)
    encoder.transformer.config.save_pretrained(folder)
    encoder.save_retriever(folder)
    write_base(folder, Path(base))


def apply_changes(transformer: Transformer, folder: str | Path) -> None:
    """Turn the base, in place, into the model whose changes a folder holds.

    Raises:
        DataError: the file of changes is missing, damaged, or of a model of another shape.
    """
    path = Path(folder, FILE)
    table_VH = transformer.get_input_embeddings().weight
    try:
        changes = load_file(path)
        with torch.no_grad():
            table_VH[changes.pop(PLACES)] = changes.pop(ROWS)
        info = transformer.load_state_dict(changes, strict=False)
    except (OSError, KeyError, RuntimeError, IndexError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"cannot load the changes: {reason}", where=path, hint=COMPLETE) from error
    missing = [name for name in info.missing_keys if not _same(transformer.state_dict()[name], table_VH)]
    if missing or info.unexpected_keys:
        what = f"the changes are not those of its base: {[*missing, *info.unexpected_keys][0]}"
        raise DataError(what, where=path, hint=COMPLETE)


def _same(weight: Tensor, other: Tensor) -> bool:
    return weight.data_ptr() == other.data_ptr()
