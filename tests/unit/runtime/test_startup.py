"""A process keeps freed memory for the next tensor."""

import subprocess
import sys

import pytest

MEMORY_AFTER_A_TENSOR = """
import sys, torch
from optical.runtime.startup import keep_memory
if sys.argv[1] == "kept":
    keep_memory()
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) * 1024
before = resident()
tensor = torch.ones(50_000_000)
del tensor
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.parametrize(("how", "megabytes"), [("kept", (190, 400)), ("usual", (0, 100))])
def test_freed_memory_is_kept_for_the_next_tensor(how, megabytes):
    command = [sys.executable, "-c", MEMORY_AFTER_A_TENSOR, how]
    found = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1e6
    assert megabytes[0] <= found <= megabytes[1]
