"""Several processes that train one model, a device each, started by torchrun; everything here does nothing for one.

The processes share the parts of a step: the sum of their gradients is what one process would have accumulated. The
first one decides and writes; the others follow.
"""

from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

PATIENCE = timedelta(minutes=30)  # that the others wait while the first writes a checkpoint


def join(device: torch.device, world: int) -> None:
    """Join the other processes; call it once the device is known."""
    if world > 1 and not distributed.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)


def leave(world: int) -> None:
    """Wait for the other processes and leave them."""
    if world > 1:
        distributed.barrier()
        distributed.destroy_process_group()


def sum_gradients(model: nn.Module, world: int) -> None:
    """Replace each gradient by its sum over the processes; a weight without one anywhere keeps none."""
    if world == 1:
        return
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    has_gradient = torch.tensor([weight.grad is not None for weight in weights]).to(weights[0])
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    flat = torch.cat([has_gradient, *(gradient.flatten() for gradient in gradients)])
    distributed.all_reduce(flat)
    sums = flat[len(weights) :].split([weight.numel() for weight in weights])
    for weight, found, total in zip(weights, flat[: len(weights)].tolist(), sums, strict=True):
        weight.grad = total.view_as(weight).clone() if found else None


def sum_figures(figures: dict[str, Tensor], world: int) -> dict[str, Tensor]:
    """Return each figure's sum over the processes, which must all have figures of the same names."""
    if world == 1:
        return figures
    values = torch.stack([figures[name] for name in sorted(figures)])
    distributed.all_reduce(values)
    return dict(zip(sorted(figures), values.unbind(), strict=True))


def any_of(flag: bool, device: torch.device, world: int) -> bool:
    """Return whether the flag is set in any process, so that all stop at the same step."""
    if world == 1:
        return flag
    value: Tensor = torch.tensor(float(flag), device=device)
    distributed.all_reduce(value, distributed.ReduceOp.MAX)
    return bool(value.item())


def from_first(value: object, world: int) -> object:
    """Return the first process's value in every process: on a network disk the others may see an older file."""
    if world == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]
