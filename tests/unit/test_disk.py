"""Full, read-only and failing disks in one line; what a kill left; permissions; devices and pipes."""

import errno
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from optical import disk, seals
from optical.errors import ConfigError, ResourceError
from optical.files import atomic_folder, atomic_path, write_lines


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


FULL = {  # how libraries say it
    "Python": full,
    "torch": lambda _: (_ for _ in ()).throw(RuntimeError("PytorchStreamWriter failed writing file data/0")),
    "numpy": lambda _: np.zeros(10**5).tofile("/dev/full"),
    "safetensors": lambda _: (_ for _ in ()).throw(
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    ),
}


@pytest.mark.parametrize("way", FULL)
def test_a_full_disk_ends_in_one_line_with_path_and_space(tmp_path, way):
    said = pytest.raises(ResourceError, match=r"while it was written; [\d,]+ MiB are free there \[.*model\]")
    with said, atomic_folder(tmp_path / "model") as folder:
        FULL[way](folder)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_cannot_be_written_is_named(tmp_path, monkeypatch, code):
    def refuse(self, *_, **__):
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ResourceError, match=os.strerror(code)):
        write_lines(tmp_path / "new" / "out.tsv", ["a"])


def test_a_fault_of_another_file_passes(tmp_path):
    with pytest.raises(PermissionError), atomic_path(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "denied", "/elsewhere/input.tsv")


KILLED = """
import os, sys
from pathlib import Path
from optical.files import atomic_folder, atomic_path
Path.replace = lambda path, other: os.kill(os.getpid(), 9)
with atomic_folder(sys.argv[1]) as folder, atomic_path(sys.argv[1] + ".tsv", sealed=True):
    (folder / "half").write_text("half")
"""


def test_what_a_killed_job_left_is_removed_by_the_next(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "out"])
    assert len(left_in(tmp_path)) == 3  # the folder, the file and its record
    running = tmp_path / f".out.{disk.HOST}-{os.getpid()}-01234567"
    other = tmp_path / ".out.elsewhere-1-01234567"
    foreign = tmp_path / ".out.mine"
    for folder in (running, other, foreign):
        folder.mkdir()
    with atomic_folder(tmp_path / "out"):
        assert (
            any(name.startswith(".out.") for name in left_in(tmp_path))
            and other.is_dir()
            and running.is_dir()
            and foreign.is_dir()
        )
    write_lines(tmp_path / "out.tsv", ["whole"], sealed=True)
    seals.beside(tmp_path / "out.tsv").unlink()
    assert left_in(tmp_path) == [*sorted([other.name, running.name, foreign.name]), "out", "out.tsv"]
    os.utime(other, (0, 0))
    with atomic_folder(tmp_path / "out"):
        pass
    assert not other.exists()


def test_processes_that_write_one_folder_leave_a_whole_one(tmp_path):
    def write(number):
        for _ in range(9):
            with atomic_folder(tmp_path / "model") as folder:
                for name in "abc":
                    (folder / name).write_text(str(number))

    with ThreadPoolExecutor(4) as writers:
        assert list(writers.map(write, range(4))) == [None] * 4
    assert left_in(tmp_path) == ["model"]
    seals.check_folder(tmp_path / "model")
    assert len({path.read_text() for path in (tmp_path / "model").glob("[abc]")}) == 1


def test_a_folder_that_is_replaced_is_never_half_there(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "model") as folder:
        (folder / "a").touch()
    seen = []
    monkeypatch.setattr(disk.shutil, "rmtree", lambda path, **_: seen.append(path.name))
    with atomic_folder(tmp_path / "model"):
        pass
    assert "model" not in seen and left_in(tmp_path / "model") == [seals.LIST]


def test_a_link_to_a_folder_is_replaced_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "model").symlink_to(tmp_path / "elsewhere")
    with atomic_folder(tmp_path / "model"):
        pass
    assert left_in(tmp_path) == ["elsewhere", "model"] and not (tmp_path / "model").is_symlink()


def test_files_of_libraries_have_the_permissions_of_the_mask(tmp_path):
    before = os.umask(0o022)
    try:
        with atomic_folder(tmp_path / "model") as folder:
            (folder / "1_Dense").mkdir()
            save_file({"a": torch.zeros(1)}, folder / "model.safetensors")
            save_file({"a": torch.zeros(1)}, folder / "1_Dense" / "model.safetensors")
            (folder / "model.safetensors").chmod(0o600)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "model").rglob("*.safetensors")}
    assert modes == {0o644}


def test_files_are_flushed_before_they_have_their_name(tmp_path, monkeypatch):
    flushed = []

    def fsync(descriptor):
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_folder(tmp_path / "model") as folder:
        (folder / "weights").write_text("w")
    assert "weights" in {Path(path).name for path in flushed}
    assert flushed[-1] == str(tmp_path), "and the name itself"


def test_a_pipe_is_written_into(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_lines(tmp_path / "pipe", ["one", "two"])
    reader.join(timeout=10)
    assert read == ["one\ntwo\n"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_devices_are_written_into(tmp_path):
    assert all(disk.is_stream(Path(path)) for path in ("/dev/full", "/dev/stdout", "/dev/null", "/dev/fd/1"))
    assert not disk.is_stream(tmp_path / "new") and not disk.is_stream(tmp_path)
    with Path("/dev/full").open("wb") as device, pytest.raises(ResourceError, match="No space left"):
        write_lines(f"/proc/self/fd/{device.fileno()}", ["a"])  # which nobody can replace
    write = "from optical.files import write_lines; write_lines('/proc/self/fd/1', ['a'])"
    done = subprocess.run([sys.executable, "-c", write], capture_output=True, text=True, check=True)
    assert done.stdout == "a\n"
    with (tmp_path / "redirected").open("w") as file:
        subprocess.run([sys.executable, "-c", write], stdout=file, check=True)
    assert (tmp_path / "redirected").read_text() == "a\n"


def test_a_folder_is_not_replaced_by_a_file_nor_a_file_by_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="a folder, not a file"):
        write_lines(tmp_path / "folder", [])
    with pytest.raises(ConfigError, match="a file, not a folder"), atomic_folder(tmp_path / "file"):
        pass
    assert left_in(tmp_path) == ["file", "folder"]
