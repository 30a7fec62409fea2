"""Whether a model can be read as the experiments ask, by its files alone: looked at before its weights are there.

Nothing here needs torch: the programs that bring a model run where there is none.
"""

from collections.abc import Sequence
from pathlib import Path

from optical.config.base import LARGEST
from optical.config.demands import Demands, check_model
from optical.config.encoder import EncoderSettings
from optical.config.model_folders import check_lengths, in_form, json_of
from optical.models.framing import framing_of, new_markers
from optical.models.own_settings import own_settings
from optical.models.saved_settings import settings_of_retriever
from optical.text.tokeniser import load_tokeniser


def check_arrived(folder: str | Path, demands: Sequence[Demands]) -> None:
    """Refuse a model of which an experiment asks what it cannot do: what `load_encoder` would refuse, weights aside.

    Args:
        folder: of the model, in the Hugging Face layout; its weights need not be there yet.
        demands: of each experiment that starts from it; nothing is looked at where there are none.

    Raises:
        DataError: the model is of a kind that is not read, or a file is damaged.
        ConfigError: it cannot do what is asked.
    """
    for each in demands:
        check_model(folder, each)
        given = each.encoder.given(EncoderSettings)
        settings = settings_of_retriever(folder) if each.is_teacher else own_settings(folder, given)
        config, tokeniser = json_of(folder, "config.json"), load_tokeniser(folder)
        with in_form(folder):
            check_lengths(config, settings.model_dump(include={"query_length", "document_length"}))
            rows = int(config.get("vocab_size", LARGEST))
        tokeniser.add_special_tokens(new_markers(tokeniser, rows, settings))
        framing_of(tokeniser, folder, settings)
