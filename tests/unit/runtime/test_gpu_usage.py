"""Readings of a GPU: what is summed, what a device without a counter gives, and that no reading stops a program."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from optical.runtime import gpu_usage
from support.workspace import ROOT

SCRIPTS = ROOT / "workflow/scripts"


class NoReadingError(Exception):
    pass


class FakeNvml:
    """A device of constant 100 W, 2 GiB and 50 %; `lacks` are the functions that it does not have."""

    NVMLError = NoReadingError

    def __init__(self, lacks=()):
        self.started, self.lacks = time.monotonic(), lacks

    def __getattr__(self, name):
        def read(_):
            if name in self.lacks:
                raise NoReadingError(name)
            return {
                "nvmlDeviceGetTotalEnergyConsumption": 1e5 * (time.monotonic() - self.started),
                "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=2 * 2**30),
                "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=50),
            }[name]

        return read


def readings_of(tmp_path, monkeypatch, lacks=()):
    monkeypatch.setattr(gpu_usage, "SAMPLE_EVERY_SECONDS", 0.05)
    usage = gpu_usage.Usage(FakeNvml(lacks), None)
    usage.start()
    time.sleep(0.3)
    usage.finish(tmp_path / "1.gpu0.json")
    return json.loads((tmp_path / "1.gpu0.json").read_text())


def test_energy_memory_and_use_are_those_of_the_time_that_the_program_ran(tmp_path, monkeypatch):
    readings = readings_of(tmp_path, monkeypatch)
    assert readings["energy_joules"] == pytest.approx(100 * readings["seconds"], rel=0.5)
    assert readings["seconds"] >= 0.3
    assert (readings["max_memory_mb"], readings["mean_utilisation_percent"]) == (2048, 50.0)


def test_a_part_of_a_divided_gpu_gives_what_it_can(tmp_path, monkeypatch):
    lacks = ("nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetUtilizationRates")
    readings = readings_of(tmp_path, monkeypatch, lacks)
    assert readings["energy_joules"] is readings["mean_utilisation_percent"] is None
    assert readings["max_memory_mb"] == 2048


def test_readings_are_written_when_the_program_ends(tmp_path):
    (tmp_path / "pynvml.py").write_text(
        "class NVMLError(Exception): pass\n"
        "def nvmlInit(): pass\n"
        "def nvmlDeviceGetHandleByUUID(uuid): return uuid\n"
        "def __getattr__(name):\n"
        "    def read(_): raise NVMLError\n"
        "    return read\n"
    )
    path = tmp_path / "out/1.gpu0.json"
    program = f"import pathlib, optical.runtime.gpu_usage as g; g.record('GPU-a', pathlib.Path({str(path)!r}))"
    variables = {"PYTHONPATH": f"{tmp_path}:{SCRIPTS}"}
    subprocess.run([sys.executable, "-c", program], env=variables, check=True)
    assert json.loads(path.read_text())["energy_joules"] is None


def test_a_machine_without_a_driver_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    gpu_usage.record("GPU-a", tmp_path / "1.gpu0.json")
    assert list(tmp_path.iterdir()) == []
