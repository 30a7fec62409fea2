"""Keep Hugging Face's libraries off the network, and quiet."""

import os


def keep_offline() -> None:
    """Set what Hugging Face's libraries read when they are imported; a variable that the user has set stays."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is a folder; whatever fetches one runs elsewhere
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # a bar per saved file tells nobody anything
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it prints a table of weights that a model does not use
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # jobs run side by side
