"""How many processor cores this process may use."""

import os
from pathlib import Path

# quota and period of a container's processor time: both in one file (version 2 of control groups), or a file each
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))


def available_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many cores this process may use: those of its affinity, or a container's share where that is less.

    Args:
        cgroup: folder of the control groups.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for files in QUOTAS:
        try:
            quota, period = (
                int(word) for file in files for word in (cgroup / file).read_text(encoding="ascii").split()
            )
        except (OSError, ValueError):  # no such file, or "max"
            continue
        if quota > 0:
            cores = min(cores, max(1, quota // period))
    return cores
