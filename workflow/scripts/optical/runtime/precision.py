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


def fastest(device: str) -> str:
    """Return "bf16" where a device (as `--device` names it) multiplies it faster than float32, else "fp32"."""
    if device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if processor_bf16() else "fp32"


def chosen(precision: str, device: torch.device) -> str:
    """Return a precision, or for "auto" the fastest of a device; refuse an unknown one.

    >>> chosen("fp32", torch.device("cpu"))
    'fp32'
    """
    if precision == "auto":
        return fastest(str(device))
    dtype_of(precision)
    return precision


def processor_bf16() -> list[str]:
    """Return the instructions for bfloat16 that this machine's processor has."""
    return [name for name in ("amx_bf16", "avx512_bf16") if torch.cpu.get_capabilities().get(name)]


def processor_int8() -> list[str]:
    """Return the instructions for 8-bit integers that this machine's processor has."""
    return [name for name in ("amx_int8", "avx512_vnni") if torch.cpu.get_capabilities().get(name)]


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of mixed precision: "bf16" computes matrix products in bfloat16, "fp32" does nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype_of(precision) == torch.bfloat16)
