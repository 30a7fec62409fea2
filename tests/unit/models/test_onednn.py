"""oneDNN computes what torch does by itself, and a model that its layers were packed from stays as it was."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from optical.models import encoder as encoder_module
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.models.onednn import PackedLinear, can_multiply, packed
from optical.text.tokeniser import tokenise
from support.tiny_models import TEXTS, save_encoder

DTYPES = [torch.float32, torch.bfloat16]


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    if not can_multiply(request.param):
        pytest.skip(f"oneDNN does not multiply {request.param} on this processor")
    return request.param


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 48), (1300, 48), (2, 3, 48), (0, 48)])
def test_a_packed_layer_computes_the_same(dtype, bias, shape):
    torch.manual_seed(0)
    layer = nn.Linear(48, 80, bias=bias, dtype=dtype)
    values = torch.randn(shape, dtype=dtype)
    with torch.inference_mode():
        assert_close(PackedLinear(layer)(values), layer(values))


def test_a_model_is_packed_beside_the_one_given(dtype):
    model = nn.Sequential(nn.Embedding(9, 48), nn.Linear(48, 8), nn.Sequential(nn.Linear(8, 8), nn.Tanh())).to(dtype)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    copy = packed(model)
    assert [type(part) for part in (model[1], model[2][0], copy[1], copy[2][0])] == [nn.Linear] * 2 + [PackedLinear] * 2
    assert copy[0].weight is model[0].weight
    with torch.inference_mode():
        assert_close(copy(torch.arange(9)), model(torch.arange(9)))
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert all(weight.requires_grad for weight in model.parameters())


def test_texts_have_the_same_vectors_by_packed_layers(dtype, tmp_path, monkeypatch):
    encoder = load_encoder(save_encoder(tmp_path / "encoder"))
    texts = list(tokenise(encoder.tokeniser, TEXTS))
    precision = {torch.float32: "fp32", torch.bfloat16: "bf16"}[dtype]
    used = []
    monkeypatch.setattr(encoder_module, "packed", lambda model: used.append(packed(model)) or used[-1])

    def encoded():
        found = encoder.encode(texts, DOCUMENT, precision, batch_tokens=8)
        return {index: vectors_LD for index, vectors_LD, _ in found}

    one = encoded()
    assert len(used) == 1, "the batches were enough to pack for"
    monkeypatch.setattr(encoder_module, "can_multiply", lambda _: False)
    other = encoded()
    assert len(used) == 1
    assert one.keys() == other.keys() == set(range(len(texts)))
    for index, vectors_LD in one.items():
        assert_close(vectors_LD, other[index])
