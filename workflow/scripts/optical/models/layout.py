"""Folders in the Hugging Face layout, and what is said of those that cannot be loaded."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from optical.config.model_folders import OF_THE_HUB
from optical.errors import DataError

COMPLETE = "is the download complete?"
# What transformers raises for a folder that it cannot load: another version's, half a file, a config of odd values.
FAULTS = (
    *(ImportError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, AssertionError, EOFError),
    *(UnpicklingError, SafetensorError, StrictDataclassError),
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from showing a bar for each file and a table of the weights that a model does not use."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a variable that decides about bars of the hub
        logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


@contextlib.contextmanager
def loading(folder: str | Path, what: str) -> Iterator[None]:
    """Say in one line why a library cannot load what should lie in a folder.

    >>> with loading("results", "encoder"):
    ...     pass
    Traceback (most recent call last):
    optical.errors.DataError: not a model folder: it has no config.json [results]. Hint: ...
    """
    if not Path(folder, "config.json").is_file():
        hint = f"give a folder in the Hugging Face layout, or source: train; {OF_THE_HUB}"
        raise DataError("not a model folder: it has no config.json", where=folder, hint=hint)
    try:
        with quiet():
            yield
    except FAULTS as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DataError(f"cannot load the {what}: {reason}", where=folder, hint=COMPLETE) from error
