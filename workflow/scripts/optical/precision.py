"""The precisions in which models compute, by their names in the config."""

import torch

from optical.errors import ConfigError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def dtype_of(precision: str) -> torch.dtype:
    """Return the data type of a precision.

    >>> dtype_of("bf16")
    torch.bfloat16
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"unknown precision {precision!r}", hint=f"choose one of {', '.join(PRECISIONS)}")
    return PRECISIONS[precision]


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of mixed precision: "bf16" computes matrix products in bfloat16, "fp32" does nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype_of(precision) == torch.bfloat16)
