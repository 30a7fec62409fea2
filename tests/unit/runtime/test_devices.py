"""One GPU to one process: leases among processes, what CUDA_VISIBLE_DEVICES allows, refusals in one line."""

import os
import subprocess
import sys

import pytest

from optical.errors import ConfigError, ResourceError
from optical.runtime import devices
from optical.runtime.machine import Machine
from support.workspace import ROOT

SCRIPTS = ROOT / "workflow/scripts"
HOLD = """
import sys
from optical.runtime.devices import lease
print(lease(sys.argv[2:], sys.argv[1], patience=30), flush=True)
sys.stdin.read()
"""


def holder(folder, *uuids):
    """Start a process that leases a device and holds it until its input is closed."""
    command = [sys.executable, "-c", HOLD, str(folder), *uuids]
    variables = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def give_back():
    yield
    while devices._leases:
        devices._leases.popitem()[1].close()


def test_each_process_gets_a_device_of_its_own(tmp_path):
    holders = [holder(tmp_path, "GPU-a", "GPU-b", "GPU-c") for _ in range(3)]
    assert sorted(process.stdout.readline().strip() for process in holders) == ["GPU-a", "GPU-b", "GPU-c"]
    for process in holders:
        process.communicate()


def test_a_device_is_free_again_when_its_process_is_killed(tmp_path):
    first = holder(tmp_path, "GPU-a")
    assert first.stdout.readline() == "GPU-a\n"
    second = holder(tmp_path, "GPU-a")
    first.kill()
    assert second.stdout.readline() == "GPU-a\n"
    second.communicate()
    first.communicate()


def test_all_taken_is_refused_in_one_line_with_the_remedy(tmp_path):
    first = holder(tmp_path, "GPU-a")
    first.stdout.readline()
    with pytest.raises(ResourceError, match=r"all 1 GPUs are leased .*--resources gpu=1"):
        devices.lease(["GPU-a"], tmp_path, patience=0.1)
    first.communicate()


def test_the_lease_of_another_user_is_respected(tmp_path):
    lock = tmp_path / "GPU-a.lock"
    lock.touch()
    lock.chmod(0o444)
    assert devices.lease(["GPU-a"], tmp_path, patience=0) == "GPU-a"


def test_a_lease_can_be_seen_by_others_whatever_the_mask_and_the_name(tmp_path):
    before = os.umask(0o077)
    devices.lease(["MIG-GPU-a/1/0"], tmp_path, patience=0)
    os.umask(before)
    assert (tmp_path / "MIG-GPU-a_1_0.lock").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        (None, ["GPU-aa", "GPU-ab"]),
        ("", []),
        ("1", ["GPU-ab"]),
        ("1,0", ["GPU-ab", "GPU-aa"]),
        ("GPU-ab", ["GPU-ab"]),
        ("7", []),
        ("-1", []),
        ("MIG-x", ["MIG-x"]),
    ],
)
def test_what_the_variable_allows(variable, expected):
    assert devices.allowed(["GPU-aa", "GPU-ab"], variable) == expected


def test_the_leased_device_is_the_only_one_that_torch_sees(tmp_path, monkeypatch):
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "visible_gpus", lambda: ["GPU-aa", "GPU-ab"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert devices.choose("auto").type in ("cpu", "cuda")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == devices.leased() == "GPU-aa"
    assert (tmp_path / "optical-leases").stat().st_mode & 0o1777 == 0o1777


def test_a_cpu_job_leases_nothing(monkeypatch):
    monkeypatch.setattr(devices, "visible_gpus", lambda: pytest.fail("a CPU job looked for GPUs"))
    assert devices.choose("cpu").type == "cpu"


def test_a_gpu_that_is_not_there_is_refused_in_one_line(monkeypatch):
    import torch

    monkeypatch.setattr(devices, "visible_gpus", list)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ResourceError, match=r"torch sees none \[device: cuda\]\. Hint: check nvidia-smi"):
        devices.choose("cuda")


def test_more_processes_than_gpus_are_refused_at_once_in_one_line(monkeypatch):
    monkeypatch.setattr(devices, "visible_gpus", lambda: ["GPU-aa", "GPU-ab"])
    monkeypatch.setattr(devices, "lease", lambda uuids: pytest.fail("a process waits for a GPU that is not there"))
    with pytest.raises(
        ResourceError, match=r"^4 processes want a GPU each, but there are 2 .* Hint: set machine\.gpus"
    ):
        Machine(device="cuda", world=4).start()


@pytest.mark.parametrize("name", ["gpu", "GPU", "cuda:", "cuda:x", "mps", ""])
def test_a_name_that_is_no_device_is_refused_in_one_line(monkeypatch, name):
    monkeypatch.setattr(devices, "visible_gpus", lambda: pytest.fail("it looked for GPUs"))
    with pytest.raises(ConfigError, match=rf"^no such device: {name} \[device\]\. Hint: auto, cpu, cuda or"):
        devices.choose(name)


def test_a_number_beyond_the_last_device_is_refused(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ResourceError, match="cuda:3 was asked for, but there are 1"):
        devices.choose("cuda:3")


def test_leases_follow_no_link_and_change_nothing_of_others(tmp_path):
    leases, victim = tmp_path / "leases", tmp_path / "victim"
    leases.mkdir(mode=0o755)
    victim.touch(mode=0o600)
    (leases / "GPU-a.lock").symlink_to(victim)
    with pytest.raises(ResourceError, match="cannot lease by it"):
        devices.lease(["GPU-a"], leases, patience=0)
    assert victim.stat().st_mode & 0o777 == 0o600
    assert leases.stat().st_mode & 0o777 == 0o755
    (tmp_path / "link").symlink_to(leases)
    with pytest.raises(ResourceError, match="not a folder of leases"):
        devices.lease(["GPU-c"], tmp_path / "link", patience=0)
