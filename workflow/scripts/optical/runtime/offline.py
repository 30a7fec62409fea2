"""Keep Hugging Face's libraries off the network, and quiet."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def keep_offline() -> None:
    """Keep the libraries of this process off the network, and quiet; call it before they are imported.

    Programs call it. The library does not: who uses it in a notebook may want to download models there. A variable that
    the user has set stays.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is a folder; whatever fetches one runs elsewhere
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # what it warns of is not a fault here
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # jobs run side by side


@contextmanager
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
