"""Keep Hugging Face's libraries off the network, and quiet."""

import os


def keep_offline() -> None:
    """Keep the libraries of this process off the network, and quiet; call it before they are imported.

    Programs call it. The library does not: who uses it in a notebook may want to download models there. A variable that
    the user has set stays.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is a folder; whatever fetches one runs elsewhere
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # what it warns of is not a fault here
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # jobs run side by side
