"""Download a model of the Hugging Face hub at one commit into a folder, for use without a network."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from optical.config.model_folders import check_weights
from optical.errors import DataError, ResourceError
from optical.files import atomic_folder, sha256_of, write_json

HOST = "huggingface.co"
WEIGHTS = ("*.safetensors", "*pytorch_model*.bin")  # of a folder that has both, the first
WANTED = (*WEIGHTS, "*.json", "*.txt", "*.model", "*.spm", "*.metadata")
UNWANTED = ("onnx/*", "openvino/*")


def fetch_model(
    model_id: str,
    revision: str,
    folder: str | Path,
    check: Callable[[Path], None] = lambda folder: None,
    mirror: str | Path | None = None,
) -> list[str]:
    """Write a model's files and `source.json` into `folder`, all or nothing; return the names of the files.

    The weights come last: a model that does not pass the check is refused without them.

    Args:
        model_id: `organisation/name` on the hub; the environment variable HF_ENDPOINT names another server.
        revision: the commit, 40 hexadecimal digits, which fixes every byte.
        folder: in which the model is to lie.
        check: looks at the files other than weights, and refuses what cannot do what is asked.
        mirror: a folder that serves `https://host/path` as `host/path`; then the network is not used.

    Raises:
        ResourceError: the model cannot be had.
        DataError: it has no weights, or they are not whole, or `check` finds a fault.
        ConfigError: `check` says that it cannot do what is asked.
    """
    source = Path(mirror, HOST, model_id, "resolve", revision) if mirror else None
    names = chosen_files(_files_of_mirror(source) if source else _files_of_hub(model_id, revision))
    for needed in (("config.json",), WEIGHTS):
        if not any(_like(name, needed) for name in names):
            raise DataError(f"the model has no {needed[0]}", where=f"{model_id}@{revision}", hint="take another")
    with atomic_folder(folder) as temporary, named(temporary, f"{model_id}@{revision}"):
        for weights, look in ((False, check), (True, check_weights)):
            wanted = [name for name in names if _like(name, WEIGHTS) == weights]
            _copy(source, temporary, wanted) if source else _download(model_id, revision, temporary, wanted)
            look(temporary)
        hashes = {name: sha256_of(temporary / name) for name in names}
        write_json(temporary / "source.json", {"id": model_id, "revision": revision, "files": hashes})
    return sorted(names)


@contextmanager
def named(temporary: Path, source: str) -> Iterator[None]:
    """Say of faults of a model that arrives where it comes from: the folder that it lies in meanwhile is removed."""
    try:
        yield
    except DataError as error:
        raise DataError(error.what, where=error.where.replace(str(temporary), source), hint=error.hint) from error


def chosen_files(names: Iterable[str]) -> list[str]:
    """Return which of a repository's files are needed: settings, tokeniser, and the weights in one format.

    >>> chosen_files(["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx"])
    ['config.json', 'model.safetensors']
    """
    names = [name for name in names if _like(name, WANTED) and not _like(name, UNWANTED)]
    safe = {os.path.dirname(name) for name in names if name.endswith(".safetensors")}
    return [name for name in names if not (name.endswith(".bin") and os.path.dirname(name) in safe)]


def _like(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _files_of_mirror(source: Path) -> list[str]:
    if not source.is_dir():
        raise ResourceError(
            "the mirror lacks this model", where=source, hint="put its files there, or unset the mirror"
        )
    return [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]


def _copy(source: Path, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def allow_network() -> None:
    """Let the hub's client use the network; call this before anything imports it, as transformers does."""
    os.environ["HF_HUB_OFFLINE"] = "0"  # a user who forbids the network to other programs does not mean this one
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # plain HTTP, which proxies and local servers understand
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _files_of_hub(model_id: str, revision: str) -> list[str]:
    allow_network()
    from huggingface_hub import HfApi

    with _in_one_line(model_id):
        return HfApi().list_repo_files(model_id, revision=revision)


def _download(model_id: str, revision: str, folder: Path, names: list[str]) -> None:
    from huggingface_hub import snapshot_download

    with _in_one_line(model_id):
        snapshot_download(model_id, revision=revision, local_dir=folder, allow_patterns=names, max_workers=4)
    shutil.rmtree(folder / ".cache", ignore_errors=True)


@contextmanager
def _in_one_line(model_id: str) -> Iterator[None]:
    """Say in one line why the hub does not give a model."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise ResourceError("the model is gated", model_id, "accept its terms on the hub, and set HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise ResourceError("the model has no such commit", model_id, "fix the revision in the config") from error
    except errors.RepositoryNotFoundError as error:
        hint = "fix its id; a private model needs HF_TOKEN"
        raise ResourceError("the hub has no such model", model_id, hint) from error
    except Exception as error:  # of whatever HTTP library the client has, which has tried several times
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        hint = "check the network or try later; HF_ENDPOINT names another server, OPTICAL_MIRROR a mirror"
        raise ResourceError(f"cannot download: {reason}", model_id, hint) from error
