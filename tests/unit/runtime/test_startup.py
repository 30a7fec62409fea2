"""A process keeps freed memory for the next tensor, and does not grow with the shapes that it has met."""

import subprocess
import sys

import pytest

from optical.runtime.precision import processor_bf16
from optical.runtime.startup import CACHES

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


GROWTH_WITH_SHAPES = """
import torch
from optical.runtime.startup import keep_memory
keep_memory()
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) / 1e3
layer = torch.nn.Linear(64, 64).bfloat16().requires_grad_(False)
for rows in range(1, 401):
    layer(torch.ones(rows, 64, dtype=torch.bfloat16))
    if rows == 200:
        before = resident()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux" or not processor_bf16(), reason="oneDNN multiplies no bf16 here")
def test_memory_does_not_grow_with_the_lengths_of_batches(monkeypatch):
    for cache in CACHES:
        monkeypatch.delenv(cache, raising=False)
    command = [sys.executable, "-c", GROWTH_WITH_SHAPES]
    megabytes = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert megabytes < 10  # 130 where every shape is kept


def test_a_program_is_kept_off_the_hub(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    program = (
        "import optical.search.retriever, optical.translation.translate\n"
        "from optical.runtime.startup import prepare_process\n"
        "prepare_process()\n"
        "from huggingface_hub import constants\n"
        "assert constants.HF_HUB_OFFLINE"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
