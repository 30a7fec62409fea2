"""What a GPU did while a program ran: energy, memory and utilisation, sampled into `gpu.json` beside the benchmark.

Snakemake's benchmarks know no GPU. Where there is no driver or no `pynvml`, nothing is written.
"""

import atexit
import logging
import threading
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from optical.files import write_json

log = logging.getLogger(__name__)

SAMPLE_EVERY_SECONDS = 2.0
ENERGY = "nvmlDeviceGetTotalEnergyConsumption"  # since the driver was loaded, in millijoules


def record_path(log_path: str | Path, rank: int = 0) -> Path:
    """Return the path for the readings of a job: beside its benchmark, whose path follows that of its log.

    >>> record_path("results/logs/distil_student/sw/optical/1.log").as_posix()
    'results/benchmarks/distil_student/sw/optical/1.gpu0.json'
    """
    path = Path(log_path)
    parts = ["benchmarks" if part == "logs" else part for part in path.parts[:-1]]
    return Path(*parts, f"{path.stem}.gpu{rank}.json")


def record(uuid: str, path: Path) -> None:
    """Sample one device until this program ends, then write a summary."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
    except Exception as error:  # the training matters more than its measurement
        log.info("no readings of the GPU: %s", error)
        return
    usage = Usage(pynvml, handle)
    usage.start()
    atexit.register(usage.finish, path)


class Usage:
    """The readings of one device; one that the device does not give, as a part of a divided GPU, stays None."""

    def __init__(self, nvml: Any, handle: object):
        self.nvml, self.handle = nvml, handle
        self.started, self.first_energy = time.monotonic(), self._read(ENERGY)
        self.memories: list[Any] = []
        self.rates: list[Any] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._sample_until_ended, daemon=True)

    def start(self) -> None:
        """Begin to sample, beside what the program does."""
        self.thread.start()

    def finish(self, path: Path) -> None:
        """Write the summary: joules, largest megabytes, mean percent of the time in use."""
        self.ended.set()
        self.thread.join()
        last_energy = self._read(ENERGY)
        counted = self.first_energy is not None and last_energy is not None
        percents = [rates.gpu for rates in self.rates if rates]
        summary = {
            "seconds": round(time.monotonic() - self.started, 1),
            "energy_joules": round((last_energy - self.first_energy) / 1e3, 1) if counted else None,
            "max_memory_mb": max((round(memory.used / 2**20) for memory in self.memories if memory), default=None),
            "mean_utilisation_percent": round(fmean(percents), 1) if percents else None,
        }
        write_json(path, summary)

    def _sample_until_ended(self) -> None:
        self._sample()
        while not self.ended.wait(SAMPLE_EVERY_SECONDS):
            self._sample()
        self._sample()

    def _sample(self) -> None:
        self.memories.append(self._read("nvmlDeviceGetMemoryInfo"))
        self.rates.append(self._read("nvmlDeviceGetUtilizationRates"))

    def _read(self, name: str) -> Any:
        try:
            return getattr(self.nvml, name)(self.handle)
        except self.nvml.NVMLError:
            return None
