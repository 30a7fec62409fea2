"""Checkpoints: the newest whole one is found, the rest is cleaned up, and none serves a run that is not its own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.errors import ResourceError
from optical.runtime.provenance import version_of
from optical.training import checkpoints as module
from optical.training.checkpoints import KEPT, Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "deep" / "checkpoints", "key")


def state(step):
    return {"step": step, "model": {"weight": torch.full((3,), float(step))}, "curve": [{"step": 0, "loss": 0.5}]}


def files(checkpoints):
    return sorted(path.name for path in checkpoints.folder.glob("step-*"))


def test_the_newest_comes_back_and_two_are_kept(checkpoints):
    assert checkpoints.load() is None
    for step in (2, 9, 10, 100):
        checkpoints.save(state(step))
    newest = checkpoints.load()
    assert newest["step"] == 100
    assert torch.equal(newest["model"]["weight"], torch.full((3,), 100.0))
    assert newest["curve"] == [{"step": 0, "loss": 0.5}]
    assert files(checkpoints) == ["step-000000010.pt", "step-000000100.pt"]
    assert KEPT == 2
    assert len(list(checkpoints.folder.iterdir())) == 2 * KEPT, "each with its record"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_one_is_skipped_with_a_warning(checkpoints, caplog, share):
    for step in (1, 2):
        checkpoints.save(state(step))
    newest = checkpoints.folder / "step-000000002.pt"
    newest.write_bytes(newest.read_bytes()[: int(share * newest.stat().st_size)])
    assert checkpoints.load()["step"] == 1
    assert caplog.text.count("skipping the damaged checkpoint") == 1
    for path in checkpoints.folder.iterdir():
        path.write_bytes(b"")
    assert checkpoints.load() is None


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_a_flipped_bit_is_noticed(checkpoints, caplog, place):
    for step in (1, 2):
        checkpoints.save(state(step) | {"large": torch.zeros(10_000)})
    newest = checkpoints.folder / "step-000000002.pt"
    content = bytearray(newest.read_bytes())
    content[int(place * len(content))] ^= 4
    newest.write_bytes(content)
    assert checkpoints.load()["step"] == 1
    assert "its SHA-256 is another" in caplog.text


def test_what_cannot_be_read_now_is_not_damaged(checkpoints, monkeypatch):
    for step in (1, 2):
        checkpoints.save(state(step))

    def unreadable(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(torch, "load", unreadable)
    with pytest.raises(ResourceError, match="cannot read a checkpoint .*step-000000002.pt"):
        checkpoints.load()
    assert files(checkpoints) == ["step-000000001.pt", "step-000000002.pt"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_lack_of_memory_is_no_damage(checkpoints, monkeypatch, error):
    checkpoints.save(state(1))

    def no_memory(*_, **__):
        raise error

    monkeypatch.setattr(torch, "load", no_memory)
    with pytest.raises(ResourceError, match="no memory for a checkpoint .*give the job more memory"):
        checkpoints.load()


def test_damaged_ones_give_way_to_what_is_saved_after_them(checkpoints):
    for step in (20, 30):
        checkpoints.save(state(step))
    for path in checkpoints.folder.iterdir():
        path.write_bytes(b"")
    assert checkpoints.load() is None
    for step in (5, 10):
        checkpoints.save(state(step))
        assert checkpoints.load()["step"] == step
    assert files(checkpoints) == ["step-000000005.pt", "step-000000010.pt"]


def test_a_failed_save_leaves_the_last_one_whole(checkpoints, monkeypatch):
    checkpoints.save(state(1))

    def full_disk(state, path):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        checkpoints.save(state(2))
    assert files(checkpoints) == ["step-000000001.pt"]
    assert checkpoints.load()["step"] == 1


def test_a_checkpoint_runs_no_code(checkpoints):
    class Harmful:
        def __reduce__(self):
            return print, ("run",)

    checkpoints.folder.mkdir(parents=True)
    torch.save({"step": 1, "model": Harmful()}, checkpoints.folder / "step-000000001.pt")
    assert checkpoints.load() is None


def test_a_finished_run_leaves_nothing(checkpoints):
    checkpoints.save(state(1))
    checkpoints.remove()
    assert not checkpoints.folder.exists()
    checkpoints.remove()


def test_other_runs_are_left_alone(checkpoints):
    other = Checkpoints(checkpoints.folder.parent, "other")
    checkpoints.save(state(1))
    other.save(state(5))
    checkpoints.remove()
    assert other.load()["step"] == 5


def fingerprint(chosen, inputs):
    return module.fingerprint(chosen, inputs, module.__file__)


def model_folder(path, weights=b"weights", config="{}"):
    (path / "1_Dense").mkdir(parents=True)
    (path / "1_Dense" / "weights").write_bytes(weights)
    (path / "config.json").write_text(config)
    return path


def test_a_fingerprint_tells_all_that_decides_a_result(tmp_path):
    same = [fingerprint({"steps": 1, "seed": 2}, [model_folder(tmp_path / name)]) for name in ("a", "b")]
    assert same[0] == same[1], "where a folder lies does not matter"
    others = [
        fingerprint({"steps": 2, "seed": 2}, [tmp_path / "a"]),
        fingerprint({"steps": 1, "seed": 2}, []),
        fingerprint({"steps": 1, "seed": 2}, [model_folder(tmp_path / "c", weights=b"others!")]),
        fingerprint({"steps": 1, "seed": 2}, [model_folder(tmp_path / "d", config="{ }")]),
        fingerprint({"steps": 1, "seed": 2}, [tmp_path / "a" / "config.json"]),
        fingerprint({"steps": 1, "seed": 2}, [tmp_path / "a", tmp_path / "b"]),
    ]
    assert len({same[0], *others}) == 7


@pytest.fixture
def program(tmp_path):
    """A program with a library: `loss` is imported, and imports `plan` when it is called; nobody imports `tables`."""
    (tmp_path / "optical").mkdir()
    for name, text in {
        "train.py": "from optical.loss import loss",
        "optical/__init__.py": "",
        "optical/loss.py": "def loss():\n    from optical import plan",
        "optical/plan.py": "",
        "optical/tables.py": "",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path / "train.py"


@pytest.mark.parametrize(
    ("name", "same"),
    [("train.py", False), ("optical/loss.py", False), ("optical/plan.py", False), ("optical/tables.py", True)],
)
def test_changed_code_starts_afresh_where_the_program_runs_on_it(program, name, same):
    before = module.fingerprint({}, [], program)
    with (program.parent / name).open("a") as file:
        file.write("\n# changed\n")
    assert (module.fingerprint({}, [], program) == before) is same


@pytest.mark.parametrize("package", ["torch", "transformers", "POT", "numpy"])
def test_another_version_of_a_package_starts_afresh(program, monkeypatch, package):
    before = module.fingerprint({}, [], program)
    monkeypatch.setattr(module, "version_of", lambda name: "99" if name == package else version_of(name))
    assert module.fingerprint({}, [], program) != before


def test_when_and_where_a_model_was_made_does_not_matter(tmp_path):
    folder = model_folder(tmp_path / "a")
    before = fingerprint({}, [folder])
    (folder / "provenance.json").write_text('{"wall_seconds": 3}')
    assert fingerprint({}, [folder]) == before


@settings(max_examples=30, deadline=None)
@given(
    chosen=st.dictionaries(st.text(max_size=3), st.integers() | st.floats(allow_nan=False) | st.booleans(), max_size=4)
)
def test_the_order_of_settings_does_not_matter(chosen):
    turned = dict(reversed(list(chosen.items())))
    assert fingerprint(chosen, []) == fingerprint(turned, [])
