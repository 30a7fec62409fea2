"""On a CUDA device an encoder gives the vectors and gradients that it gives on the processor."""

import pytest
import torch

if not torch.cuda.is_available():
    pytest.skip("needs a CUDA device", allow_module_level=True)

from optical.models.encoder import DOCUMENT  # noqa: E402
from optical.models.folders import load_encoder  # noqa: E402
from optical.runtime.precision import autocast  # noqa: E402
from support.tiny_models import save_encoder  # noqa: E402

pytestmark = pytest.mark.gpu
TOLERANCES = {"fp32": 1e-4, "bf16": 5e-2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("encoder"))


def vectors_and_gradient(folder, device, precision):
    encoder = load_encoder(folder).to(device).eval()
    ids_BL, attention_BL, _ = encoder.frame([[7, 8, 9, 10, 11, 12], [13], [14, 15, 16]], DOCUMENT)
    with autocast(torch.device(device), precision):
        vectors_BLD = encoder(ids_BL.to(device), attention_BL.to(device))
    vectors_BLD[:, :, 0].sum().backward()
    gradient = torch.cat([weight.grad.flatten() for weight in encoder.parameters() if weight.grad is not None])
    return vectors_BLD.detach().cpu(), gradient.cpu()


@pytest.mark.parametrize("precision", TOLERANCES)
def test_vectors_and_gradients_are_those_of_the_processor(folder, precision):
    found, expected = (vectors_and_gradient(folder, *run) for run in (("cuda", precision), ("cpu", "fp32")))
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).norm() / other.norm()) < TOLERANCES[precision]
