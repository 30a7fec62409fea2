"""Linear layers by oneDNN, for a model that only reads: without a gradient, and with weights laid out beforehand.

By itself torch multiplies float32 with MKL, the slower of the two on processors that are not Intel's, and has oneDNN
lay out the weights of a layer again for each product in bf16. Search is left to MKL: what oneDNN keeps for each shape
of a block is more than the memory that search may take.

Shape suffixes: X anything, H size of the input.
"""

import copy
import platform

import torch
from torch import Tensor, nn

from optical.runtime.precision import processor_bf16

ROWS = 1024  # of a product; the layout suits any number, and this one best


def can_multiply(dtype: torch.dtype) -> bool:
    """Return whether oneDNN multiplies a data type on this machine's processor."""
    if not torch.backends.mkldnn.is_available() or platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(processor_bf16()))


class PackedLinear(nn.Module):
    """What `linear` computes, up to rounding, its weights laid out beforehand as the products read them."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)
        self.bias = linear.bias

    def forward(self, values_XH: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(values_XH, self.weight, self.bias, "none", [], "")


def packed(model: nn.Module) -> nn.Module:
    """Return the model with packed linear layers; it shares all others with the one given, which stays as it is."""
    model = copy.deepcopy(model, {id(weight): weight for weight in model.parameters()})
    for part in list(model.modules()):
        for name, child in part.named_children():
            if type(child) is nn.Linear:
                setattr(part, name, PackedLinear(child))
    return model
