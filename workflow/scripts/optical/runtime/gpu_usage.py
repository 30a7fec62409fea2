"""What a GPU did while a program ran: power, memory and utilisation, sampled into `gpu.json` beside the benchmark.

Snakemake's benchmarks know no GPU. Where there is no driver or no `pynvml`, nothing is written.
"""

import atexit
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from optical.files import write_json

log = logging.getLogger(__name__)

SAMPLE_EVERY_SECONDS = 2.0


def record_path(log_path: str | Path, rank: int = 0) -> Path:
    """Return where the readings of a job belong: beside its benchmark, which lies as its log does.

    >>> record_path("results/logs/distil_student/sw/optical/1.log").as_posix()
    'results/benchmarks/distil_student/sw/optical/1.gpu0.json'
    """
    path = Path(log_path)
    parts = ["benchmarks" if part == "logs" else part for part in path.parts[:-1]]
    return Path(*parts, f"{path.stem}.gpu{rank}.json")


def record(uuid: str, path: Path) -> None:
    """Sample one device until this program ends, then write what it did."""
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

    def __init__(self, nvml: object, handle: object):
        self.nvml, self.handle = nvml, handle
        self.started = time.monotonic()
        self.first_energy = self._read("nvmlDeviceGetTotalEnergyConsumption")
        self.samples: list[tuple[float, float | None, float | None, float | None]] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._sample_until_ended, daemon=True)

    def start(self) -> None:
        """Begin to sample, beside what the program does."""
        self.thread.start()

    def finish(self, path: Path) -> None:
        """Write the summary: joules, mean watts, largest megabytes, mean percent of the time in use."""
        self.ended.set()
        self.thread.join()
        write_json(path, self.summary())

    def summary(self) -> dict[str, float | int | None]:
        """Return the figures of all samples so far."""
        times, watts, megabytes, percents = zip(*self.samples, strict=True)
        return {
            "seconds": round(times[-1] - self.started, 1),
            "samples": len(self.samples),
            "energy_joules": self._energy(times, watts),
            "mean_power_watts": _rounded_mean(watts),
            "max_memory_mb": max((value for value in megabytes if value is not None), default=None),
            "mean_utilisation_percent": _rounded_mean(percents),
        }

    def _energy(self, times: Sequence[float], watts: Sequence[float | None]) -> float | None:
        """Return the counter's difference, else the power summed over time, from one sample to the next."""
        last = self._read("nvmlDeviceGetTotalEnergyConsumption")
        if self.first_energy is not None and last is not None:
            return round((last - self.first_energy) / 1e3, 1)
        if any(value is None for value in watts):
            return None
        spans = (after - before for before, after in zip([self.started, *times], times, strict=False))
        return round(sum(power * span for power, span in zip(watts, spans, strict=True)), 1)

    def _sample_until_ended(self) -> None:
        while True:
            self._sample()
            if self.ended.wait(SAMPLE_EVERY_SECONDS):
                self._sample()
                return

    def _sample(self) -> None:
        power = self._read("nvmlDeviceGetPowerUsage")
        memory = self._read("nvmlDeviceGetMemoryInfo")
        rates = self._read("nvmlDeviceGetUtilizationRates")
        self.samples.append(
            (
                time.monotonic(),
                None if power is None else power / 1e3,
                None if memory is None else round(memory.used / 2**20),
                None if rates is None else rates.gpu,
            )
        )

    def _read(self, name: str) -> object:
        try:
            return getattr(self.nvml, name)(self.handle)
        except self.nvml.NVMLError:
            return None


def _rounded_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 1) if known else None
