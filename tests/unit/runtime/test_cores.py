"""Cores that a process may use: its affinity's, and no more than a container's share."""

import os

import pytest

from optical.runtime.cores import available_cores

OWN = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    "files, cores",
    [
        ({}, OWN),
        ({"cpu.max": "max 100000"}, OWN),
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),  # half a core still is one
        ({"cpu.max": f"{100000 * (OWN + 7)} 100000"}, OWN),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, OWN),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)
def test_a_container_gives_its_share(tmp_path, files, cores):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert available_cores(tmp_path) == cores


def test_affinity_counts(tmp_path):
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, allowed)
