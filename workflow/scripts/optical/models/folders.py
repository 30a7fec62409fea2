"""Load encoders from folders: this project's and PyLate's, Stanford ColBERT's, and bare transformers.

PyLate's layout is that of `Encoder.save`. A checkpoint of Stanford ColBERT has the projection among the transformer's
weights. `optical.models.saved_settings` tells how each reads texts.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from optical.config.encoder import EncoderSettings
from optical.config.model_folders import check_weights, model_config
from optical.errors import DataError
from optical.models.changes import apply_changes
from optical.models.dense import DenseEncoder, saved_dense_settings
from optical.models.encoder import Encoder
from optical.models.layout import COMPLETE, loading
from optical.models.saved_settings import saved_settings, settings_of_retriever
from optical.models.unpadding import Transformer
from optical.runtime.base import base_of
from optical.seals import check_folder

log = logging.getLogger(__name__)
Model = TypeVar("Model")


def load_transformer(folder: str | Path, base: str | Path | None = None) -> Transformer:
    """Load the transformer of a Hugging Face folder, without a pooling head, in float32.

    Args:
        folder: of a whole model, or of changes to another one.
        base: where that one lies, if not where the folder says.
    """
    from transformers import AutoModel

    check_folder(folder, whole=True)
    if changed := base_of(folder, base):
        model = load_transformer(changed)
        apply_changes(model, folder)
        return model
    with loading(folder, "encoder"):
        kind = model_config(folder).get("model_type", "")
        check_weights(folder)
        extra: dict[str, Any] = {"trust_remote_code": False}  # otherwise it asks, and `yes |` answers
        if kind in ("bert", "roberta", "xlm-roberta"):
            extra["add_pooling_layer"] = False
        if kind == "big_bird":  # else a short batch turns to full attention, and all longer ones after it
            extra["attention_type"] = "original_full"
        model, info = AutoModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, **extra)
    missing = sorted(name for name in info["missing_keys"] if "pooler" not in name)
    if missing:
        raise DataError(f"the weights lack {len(missing)}, {missing[0]} first", where=folder, hint="is it an encoder?")
    return model


def check_reading(folder: str | Path, settings: EncoderSettings) -> None:
    """Raise what `load_encoder` would, without reading the weights: of lengths, subwords, markers and prompts."""
    from transformers import AutoConfig, AutoModel

    with loading(folder, "encoder"), torch.device("meta"):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        transformer = AutoModel.from_config(config, trust_remote_code=False)
    Encoder(transformer, folder, settings)


def load_encoder(
    folder: str | Path, settings: EncoderSettings | None = None, base: str | Path | None = None
) -> Encoder:
    """Load an encoder, with random weights of the projection where the folder has none of this size.

    Args:
        folder: in one of the layouts above.
        settings: in place of the folder's own; needed only where it is a bare transformer without ColBERT's parts.
        base: where the model lies that the folder holds changes to, if not where it says.

    Raises:
        DataError: the folder is no encoder, or damaged, or its base is missing.
        ConfigError: the encoder's own settings are impossible.
    """
    folder = Path(folder)
    transformer = load_transformer(folder, base)
    tokeniser = base_of(folder, base) or folder
    if settings is None and (pooled := saved_dense_settings(folder)) is not None:
        return DenseEncoder(transformer, tokeniser, pooled)
    own: EncoderSettings | None
    if settings is None:
        own = settings = settings_of_retriever(folder)
    else:
        own = saved_settings(folder)
    encoder = Encoder(transformer, tokeniser, settings)
    if not isinstance(encoder.projection, nn.Linear):
        return encoder
    if own is None or own.dimension != settings.dimension:
        log.info("%s: the projection to %d dimensions starts from random weights", folder, settings.dimension)
        return encoder
    weight_DH = _projection(folder)
    if weight_DH.shape != encoder.projection.weight.shape:
        wanted = " x ".join(map(str, encoder.projection.weight.shape))
        what = f"the projection is {' x '.join(map(str, weight_DH.shape))}, not {wanted} as the folder says"
        raise DataError(what, where=folder, hint=COMPLETE)
    encoder.projection.weight.data.copy_(weight_DH)
    return encoder


def keeping(most: int, load: Callable[[str], Model]) -> Callable[[str], Model]:
    """Return a loader that keeps the models used last, and drops one before it loads another: each may be large.

    Args:
        most: so many stay in memory.
        load: loads the model of a folder.

    >>> kept = keeping(1, lambda folder: print("loads", folder))
    >>> for folder in ("teacher", "teacher", "student"):
    ...     kept(folder)
    loads teacher
    loads student
    """
    held: dict[str, Model] = {}

    def load_or_keep(folder: str) -> Model:
        if folder in held:
            held[folder] = held.pop(folder)  # now the last of all
            return held[folder]
        while len(held) >= most:
            del held[next(iter(held))]
        held[folder] = load(folder)
        return held[folder]

    return load_or_keep


def _projection(folder: Path) -> Tensor:
    """Return the weights of the projection: those of a module of its own, or one matrix among the transformer's."""
    place = folder / "1_Dense" if (folder / "1_Dense").is_dir() else folder
    safe, pickled = place / "model.safetensors", place / "pytorch_model.bin"
    try:
        if not safe.is_file():
            return torch.load(pickled, map_location="cpu", weights_only=True)["linear.weight"]
        with safe_open(safe, "pt") as file:
            return file.get_tensor("linear.weight")
    except (OSError, RuntimeError, KeyError, SafetensorError, UnpicklingError) as error:
        raise DataError("cannot load linear.weight, the projection", where=place, hint=COMPLETE) from error
