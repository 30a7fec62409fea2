"""The machine of a program: device, precision, threads, time. It never changes what is computed."""

import dataclasses
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from optical.runtime import devices, gpu_usage, parallel
from optical.runtime.precision import fastest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Machine:
    """Settings that decide only where and how fast a program runs."""

    device: str = "auto"
    precision: str = "fp32"
    threads: int = 1
    checkpoint_minutes: float = 10.0
    checkpoint_steps: int = 0  # 0: by minutes alone
    runtime_minutes: float = 0.0  # what the cluster grants: save and stop in time before it is over; 0: no limit
    log: str | None = None  # what the GPU did is written beside the benchmark that belongs to this log
    rank: int = 0
    world: int = 1

    def start(self) -> torch.device:
        """Set up threads and device, log what is used, and refuse a missing device in one line."""
        torch.set_num_threads(max(1, self.threads))
        # not use_deterministic_algorithms, which is the same but imports torch's compiler: two seconds a job
        torch.set_deterministic_debug_mode("warn")
        # it also fills every new tensor before use, to show faults: a tenth of the time of a small step
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        device = devices.choose(self.device, self.world)
        if device.type == "cuda":
            properties = torch.cuda.get_device_properties(device)
            memory = f"{properties.total_memory / 2**30:.0f} GiB"
            log.info("device: %s x %d, %s, %s", properties.name, self.world, memory, self.precision)
            if self.log and devices.leased():
                gpu_usage.record(devices.leased(), gpu_usage.record_path(self.log, self.rank))
        else:
            log.info("device: cpu x %d, %d threads, %s", self.world, torch.get_num_threads(), self.precision)
        parallel.join(device, self.world)
        return device


@contextmanager
def torch_settings_kept() -> Iterator[None]:
    """Put back at the end what `Machine.start` sets in torch, for a call within a program of somebody else."""
    deterministic: Any = torch.utils.deterministic  # its type stubs lack the setting
    before = torch.get_num_threads(), torch.get_deterministic_debug_mode(), deterministic.fill_uninitialized_memory
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_deterministic_debug_mode(before[1])
        deterministic.fill_uninitialized_memory = before[2]


def machine_from(arguments: object) -> Machine:
    """Take the machine from a program's arguments (see `program.add_machine_arguments`) and torchrun's variables."""
    given = vars(arguments)
    names = [field.name for field in dataclasses.fields(Machine) if field.name in given]
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    machine = Machine(**{name: given[name] for name in names}, rank=rank, world=world)
    if machine.precision != "auto":
        return machine
    devices.choose(machine.device, world)  # lease a GPU before torch looks at one: it would stay with the first
    return dataclasses.replace(machine, precision=fastest(machine.device))
