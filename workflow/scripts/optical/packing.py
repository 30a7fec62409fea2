"""Linear layers whose weights lie as the processor's matrix products read them, for a model that only reads.

Otherwise oneDNN lays them out anew for each product in bf16, and float32 goes through MKL, which is the slower of the
two on processors that are not Intel's.

Shape suffixes: X anything, H size of the input.
"""

import copy
import platform

import torch
from torch import Tensor, nn

from optical.precision import processor_bf16

ROWS = 1024  # of a product; the layout suits any number, and this one best


class PackedLinear(nn.Module):
    """What `linear` computes, up to rounding, without a gradient. The operations are those of torch's own compiler."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)
        self.bias = linear.bias

    def forward(self, values_XH: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(values_XH, self.weight, self.bias, "none", [], "")


def can_pack(dtype: torch.dtype) -> bool:
    """Return whether this machine's processor has such products in a data type."""
    if not torch.backends.mkldnn.is_available() or platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(processor_bf16()))


def packed(model: nn.Module) -> nn.Module:
    """Return the model with packed linear layers; it shares all others with the one given, which stays as it is."""
    model = copy.deepcopy(model, {id(weight): weight for weight in model.parameters()})
    for part in list(model.modules()):
        for name, child in part.named_children():
            if type(child) is nn.Linear:
                setattr(part, name, PackedLinear(child))
    return model
