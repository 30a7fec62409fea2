"""The device that a process computes on. If several jobs share a machine, each leases one GPU.

A workflow manager only counts GPUs: two jobs of one GPU each would both take the first. Here each process locks one
device with a file in the machine's temporary folder; the lock ends with the process, however that ends. The device is
known by its UUID, so that a scheduler which renumbers the devices of each job does no harm.
"""

import fcntl
import logging
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from optical.errors import ConfigError, ResourceError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 600.0  # for another job to give its device back
LOOK_EVERY_SECONDS = 1.0

_leases: dict[str, BinaryIO] = {}  # open files by device: a lock lasts as long as its file is open


def choose(name: str, processes: int = 1) -> "torch.device":
    """Return the device for `auto`, `cpu`, `cuda` or `cuda:N`; `auto` and `cuda` lease one GPU of those that are there.

    `processes` is how many of one training do so at a time.

    Raises:
        ConfigError: the name is none of these.
        ResourceError: a GPU is asked for and torch sees none, there are fewer than processes, or all are taken for
            longer than `PATIENCE_SECONDS`.
    """
    check_name(name)
    if name in ("auto", "cuda") and not _leases and (uuids := visible_gpus()):
        if processes > len(uuids):
            raise ResourceError(
                f"{processes} processes want a GPU each, but there are {len(uuids)}",
                where=_visible(),
                hint="set machine.gpus to as many as a job is given",
            )
        os.environ["CUDA_VISIBLE_DEVICES"] = lease(uuids)
    return device_of(name)


def check_name(name: str) -> None:
    """Refuse what is not the name of a device."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name, re.ASCII):
        raise ConfigError(f"no such device: {name}", where="device", hint="auto, cpu, cuda or cuda:N")


def device_of(name: "str | torch.device") -> "torch.device":
    """Return the device for `auto`, `cpu`, `cuda` or `cuda:N`, without a lease; `auto` is a GPU where torch sees one.

    Raises:
        ConfigError: the name is none of these.
        ResourceError: a GPU is asked for and torch does not see it.
    """
    import torch

    name = str(name)
    check_name(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ResourceError(
            "a GPU was asked for, but torch sees none",
            where=f"device: {name}",
            hint="check nvidia-smi and that torch is a CUDA build, or take the device auto",
        )
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ResourceError(
            f"device {name} was asked for, but there are {count}",
            where=_visible(),
            hint="count from cuda:0, or take cuda for any free one",
        )
    return device


def name_of(device: "torch.device") -> str:
    """Return the model of a GPU; "cpu" for the processor."""
    import torch

    return "cpu" if device.type == "cpu" else torch.cuda.get_device_name(device)


def send(tensor: "torch.Tensor", device: "torch.device") -> "torch.Tensor":
    """Return the tensor on a device, without waiting for the device's earlier work.

    So the next batch is made ready while a GPU computes. On the processor nothing is copied.
    """
    if device.type == "cpu" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _visible() -> str:
    return f"CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', '')}"


def leased() -> str:
    """Return the UUID of this process's device, or nothing."""
    return next(iter(_leases), "")


def visible_gpus() -> list[str]:
    """Return the UUIDs of the GPUs that this process may use; none where there is no driver or no `pynvml`."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no such module, no driver: torch says the rest
        return []
    count = pynvml.nvmlDeviceGetCount()
    uuids = [str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index))) for index in range(count)]
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # NVML's order, so that numbers mean the same device
    return allowed(uuids, os.environ.get("CUDA_VISIBLE_DEVICES"))


def allowed(uuids: list[str], variable: str | None) -> list[str]:
    """Return the devices that CUDA_VISIBLE_DEVICES allows: numbers, or UUIDs or the beginnings of them.

    >>> allowed(["GPU-aa", "GPU-bb", "GPU-cc"], "2,GPU-a")
    ['GPU-cc', 'GPU-aa']
    >>> allowed(["GPU-aa"], None), allowed(["GPU-aa"], "")
    (['GPU-aa'], [])
    """
    if variable is None:
        return uuids
    chosen = []
    for item in (part.strip() for part in variable.split(",")):
        if item.startswith("MIG-"):
            chosen.append(item)
        elif item.isdigit():
            chosen += uuids[int(item) : int(item) + 1]
        elif item:
            chosen += [uuid for uuid in uuids if uuid.startswith(item)][:1]
    return chosen


def lease(uuids: list[str], folder: str | Path | None = None, patience: float = PATIENCE_SECONDS) -> str:
    """Lock the first free device for the life of this process and return it.

    Args:
        uuids: the devices to choose from.
        folder: of the lock files; by default in the machine's temporary folder, never on a disk that machines share.
        patience: seconds to wait for one to become free.
    """
    folder = Path(folder or Path(tempfile.gettempdir()) / "optical-leases")
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o1777)  # all users of the machine
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir():
            raise ResourceError("not a folder of leases", where=folder, hint="remove it, or set TMPDIR") from None
    deadline = time.monotonic() + patience
    waiting = False
    while True:
        for uuid in uuids:
            file = _lock(folder / f"{uuid.replace('/', '_')}.lock")  # a MIG's name may hold slashes
            if file:
                _leases[uuid] = file
                log.info("leased %s, one of %d devices", uuid, len(uuids))
                return uuid
        if time.monotonic() > deadline:
            raise ResourceError(
                f"all {len(uuids)} GPUs are leased by other jobs",
                where=folder,
                hint="give Snakemake as many as there are, e.g. --resources gpu=1, so that jobs queue there",
            )
        if not waiting:
            log.info("waiting for one of %d leased devices", len(uuids))
            waiting = True
        time.sleep(min(LOOK_EVERY_SECONDS, patience))


def _lock(path: Path) -> BinaryIO | None:
    """Lock a file that is made for it; for reading, which locks as well: it may be another user's."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # anyone may have put a link or a pipe there
    try:
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL)
            os.fchmod(descriptor, 0o644)  # whatever this user's mask is: others must be able to lock it
        except FileExistsError:
            descriptor = os.open(path, flags)
    except OSError as error:
        raise ResourceError(f"cannot lease by it: {error.strerror}", where=path, hint="remove it") from error
    file = os.fdopen(descriptor, "rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
