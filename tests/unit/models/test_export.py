"""The ONNX query encoder gives the vectors of the model, and the model card's code runs."""

import os
import re

import numpy as np
import pytest
import torch

from optical.cli.main import main
from optical.files import read_json
from optical.models.encoder import QUERY
from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.tiny_models import TEXTS, save_encoder

onnxruntime = pytest.importorskip("onnxruntime", reason='pip install -e ".[onnx]"')
pytest.importorskip("onnxscript", reason='pip install -e ".[onnx]"')


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    base = tmp_path_factory.mktemp("onnx")
    student, teacher = save_encoder(base / "student", seed=1), save_encoder(base / "teacher", seed=2)
    arguments = ["--model", student, "--teacher", teacher, "--to", base / "export", "--format", "onnx"]
    assert main(["export", *map(str, arguments)]) == 0
    return base


def test_vectors_are_equal_whatever_the_batch_and_the_length(exported):
    encoder = load_encoder(exported / "student")
    session = onnxruntime.InferenceSession(exported / "export/query/model.onnx")
    for texts in (TEXTS, TEXTS[:1], ["moon"], [*TEXTS[:2], "the moon " * 20]):
        ids_BL, attention_BL, keep_BL = encoder.frame(list(tokenise(encoder.tokeniser, texts)), QUERY)
        (vectors_BLD,) = session.run(
            ["token_vectors"], {"input_ids": ids_BL.numpy(), "attention_mask": attention_BL.numpy()}
        )
        with torch.no_grad():
            expected_BLD = encoder.eval()(ids_BL, attention_BL).numpy()
        np.testing.assert_allclose(vectors_BLD[keep_BL], expected_BLD[keep_BL], atol=1e-5)


def test_a_graph_holds_no_path_of_the_machine(exported):
    graph = (exported / "export/query/model.onnx").read_bytes()
    assert re.findall(rb"[ -~]*\.py[ -~]*|(?:/[\w.-]+){3,}", graph) == []
    assert (exported / "export/query/model.onnx").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_framing_is_the_encoders(exported):
    encoder = load_encoder(exported / "student")
    framing = read_json(exported / "export/query/framing.json")
    (pieces,) = tokenise(encoder.tokeniser, ["the moon"])
    ids_BL, _, _ = encoder.frame([pieces], QUERY)
    assert framing["before"] + pieces + framing["after"] == ids_BL[0].tolist()


def test_the_code_of_the_card_runs(exported, monkeypatch, capsys):
    monkeypatch.chdir(exported / "export")
    card = (exported / "export/README.md").read_text(encoding="utf-8")
    names = {}
    exec(re.search(r"```python\n(.*?)```", card, re.DOTALL)[1], names)
    shapes = capsys.readouterr().out.splitlines()
    assert len(shapes) == len(set(shapes)) == len(names["queries"]) and shapes[-1] == f"(1, {len(names['ids'])}, 16)"
