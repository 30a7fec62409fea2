"""Cost of a run: Snakemake's benchmarks and GPU readings, summed per rule and method."""

from collections.abc import Callable, Iterable
from pathlib import Path

from optical.errors import DataError
from optical.files import read_json, read_lines

COLUMNS = (
    "rule",
    "method",
    "jobs",
    "seconds",
    "cpu_seconds",
    "max_memory_mb",
    "gpu_seconds",
    "gpu_watt_hours",
    "gpu_max_memory_mb",
    "gpu_utilisation_percent",
)
NOT_MEASURED = ("", "-", "NA")  # what Snakemake writes where a job was too short to be looked at
CHANGES = ("bitext_curve", "tuning")  # folders of what an experiment makes with changes: see optical.plan.changes

Measured = dict[str, float]  # what was measured of a job


def cost_rows(folder: str | Path, methods: Iterable[str]) -> list[list[str]]:
    """Return the table's rows, header first, the total last.

    Time, CPU time and energy are sums over jobs, memory is the largest job's. A cell without a measurement is
    empty. A resumed training counts from its last start, as Snakemake does.

    Args:
        folder: benchmarks, as `<rule>.tsv` or `<rule>/<wildcards>.tsv`, with `.gpu<N>.json` beside those of GPU jobs.
            Those of the experiment's shares of sentence pairs and points of a grid, in folders beside it, count too.
        methods: a job belongs to the method whose name is a part of its path, if there is one.
    """
    folder, methods = Path(folder), set(methods)
    of_changes = [path for name in CHANGES for path in sorted(folder.parent.glob(f"{name}/*/{folder.name}"))]
    jobs: dict[tuple[str, str], list[Measured]] = {}
    for benchmarks in [folder, *of_changes]:
        for file in sorted(benchmarks.rglob("*.tsv")):
            parts = file.relative_to(benchmarks).with_suffix("").parts
            method = next((part for part in parts[1:] if part in methods), "")
            jobs.setdefault((parts[0], method), []).append(_benchmark(file) | _gpu(file))
    if not jobs:
        raise DataError("no benchmarks", where=folder, hint="make the table of an experiment first")
    rows = [[rule, method, *_summed(of_rule)] for (rule, method), of_rule in sorted(jobs.items())]
    return [list(COLUMNS), *rows, ["total", "", *_summed([job for of_rule in jobs.values() for job in of_rule])]]


def _benchmark(file: Path) -> Measured:
    """Return seconds, CPU seconds and memory of one job; its repetitions, if any, are summed."""
    header, *rows = [line.split("\t") for line in read_lines(file)] or [[]]  # empty while the job runs
    records = [dict(zip(header, row, strict=True)) for row in rows]
    measured: Measured = {}
    for name, column, combine in (("seconds", "s", sum), ("cpu_seconds", "cpu_time", sum), ("memory", "max_rss", max)):
        numbers = [float(record[column]) for record in records if record.get(column, "") not in NOT_MEASURED]
        if numbers:
            measured[name] = combine(numbers)
    return measured


def _gpu(file: Path) -> Measured:
    """Return the readings of all GPUs of one job together."""
    readings = [read_json(path) for path in sorted(file.parent.glob(f"{file.stem}.gpu*.json"))]
    if not readings:
        return {}
    energies = [reading["energy_joules"] for reading in readings]
    busy = [reading for reading in readings if reading["mean_utilisation_percent"] is not None]
    measured: Measured = {"gpu_seconds": sum(reading["seconds"] for reading in readings)}
    if None not in energies:
        measured["gpu_joules"] = sum(energies)
    memories = [reading["max_memory_mb"] for reading in readings if reading["max_memory_mb"] is not None]
    if memories:
        measured["gpu_memory"] = max(memories)
    if busy:
        used = (reading["mean_utilisation_percent"] * reading["seconds"] / 100 for reading in busy)
        measured["busy_seconds"] = sum(used)
    return measured


def _summed(jobs: list[Measured]) -> list[str]:
    """Return the cells of a row, behind rule and method: sums and maxima over the jobs that have a measurement."""

    def combined(name: str, combine: Callable[[list[float]], float]) -> float | None:
        numbers = [job[name] for job in jobs if name in job]
        return combine(numbers) if numbers else None

    joules, gpu_seconds = combined("gpu_joules", sum), combined("gpu_seconds", sum)
    busy_seconds = combined("busy_seconds", sum)
    return [
        str(len(jobs)),
        _cell(combined("seconds", sum), 1),
        _cell(combined("cpu_seconds", sum), 1),
        _cell(combined("memory", max), 0),
        _cell(gpu_seconds, 1),
        _cell(None if joules is None else joules / 3600, 2),
        _cell(combined("gpu_memory", max), 0),
        _cell(100 * busy_seconds / gpu_seconds if busy_seconds is not None and gpu_seconds else None, 0),
    ]


def _cell(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"
