"""Models of the hub arrive whole and at one commit, from a server or a mirror, or not at all."""

from functools import partial

import pytest

from optical.config.demands import Demands, check_model
from optical.errors import ConfigError, DataError, ResourceError
from optical.fetch.hub import chosen_files, fetch_model
from optical.files import read_json, sha256_of, write_json
from optical.seals import LIST
from support.hub import forget_client, use_hub
from support.local_server import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ID = "someone/encoder"
WEIGHTS = {".safetensors": (2).to_bytes(8, "little") + b"{}", ".bin": b"\x80"}  # the shortest that are whole
FILES = ("config.json", "model.safetensors", "pytorch_model.bin", "tokenizer.json", "1_Dense/pytorch_model.bin")


def write_model(folder, files=FILES):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(WEIGHTS.get((folder / name).suffix, b"{}"))


@pytest.fixture
def server(tmp_path, monkeypatch):
    write_model(tmp_path / "served" / ID / COMMIT)
    with serving(tmp_path / "served") as server:
        use_hub(monkeypatch, server.address)
        yield server
        forget_client(monkeypatch)


def test_a_model_is_fetched_at_its_commit_with_one_format_of_weights(server, tmp_path):
    names = fetch_model(ID, COMMIT, tmp_path / "model")
    assert names == ["1_Dense/pytorch_model.bin", "config.json", "model.safetensors", "tokenizer.json"]
    source = read_json(tmp_path / "model/source.json")
    assert source["id"] == ID and source["revision"] == COMMIT
    assert source["files"] == {name: sha256_of(tmp_path / "model" / name) for name in names}
    there = {str(path.relative_to(tmp_path / "model")) for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert there == {*names, "source.json", LIST}, "nothing of the client's own"
    assert not any("pytorch_model.bin" in path and "1_Dense" not in path for path in server.asked)


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.busy = 1
    fetch_model(ID, COMMIT, tmp_path / "model")
    assert (tmp_path / "model/config.json").is_file()


@pytest.mark.parametrize(
    ("model_id", "commit", "what"),
    [(ID, "f" * 40, "no such commit"), ("someone/else", COMMIT, "no such model")],
)
def test_what_is_not_there_is_said_in_one_line(server, tmp_path, model_id, commit, what):
    with pytest.raises(ResourceError, match=what) as caught:
        fetch_model(model_id, commit, tmp_path / "model")
    assert model_id in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*model*"))


def test_a_download_that_breaks_off_leaves_nothing(server, tmp_path):
    server.cut = {"model.safetensors"}
    with pytest.raises(ResourceError, match="cannot download") as caught:
        fetch_model(ID, COMMIT, tmp_path / "model")
    assert ID in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*model*"))
    server.cut = set()
    fetch_model(ID, COMMIT, tmp_path / "model")
    assert (tmp_path / "model/model.safetensors").read_bytes() == WEIGHTS[".safetensors"]


def test_a_repository_without_weights_is_refused(server, tmp_path):
    write_model(tmp_path / "served/someone/words" / COMMIT, ["config.json", "vocab.txt"])
    with pytest.raises(DataError, match="no .*safetensors"):
        fetch_model("someone/words", COMMIT, tmp_path / "model")
    assert not list(tmp_path.glob("*model*"))


def test_a_mirror_serves_models_without_a_network(tmp_path):
    write_model(tmp_path / "mirror/huggingface.co" / ID / "resolve" / COMMIT)
    names = fetch_model(ID, COMMIT, tmp_path / "model", mirror=tmp_path / "mirror")
    assert names == ["1_Dense/pytorch_model.bin", "config.json", "model.safetensors", "tokenizer.json"]
    with pytest.raises(ResourceError, match="mirror lacks") as caught:
        fetch_model(ID, "f" * 40, tmp_path / "other", mirror=tmp_path / "mirror")
    assert "huggingface.co" in str(caught.value)


CONFIG = {"model_type": "xlm-roberta", "hidden_size": 768, "max_position_embeddings": 514, "pad_token_id": 1}
RATE = {"where": "student.learning_rate", "key": "student.learning_rate", "value": 2e-3}  # ten times too much for base


@pytest.mark.parametrize("of_mirror", [False, True])
@pytest.mark.parametrize(
    ("demands", "error", "message"),
    [
        (Demands(extensible=True), ConfigError, r"of the kind Unigram cannot be extended \[vocabulary\.pieces\]"),
        (
            Demands(encoder={"query_length": 513}),
            ConfigError,
            r"not of 513 \[encoder\.query_length\]",
        ),
        (Demands(values=[RATE]), ConfigError, r"0.002 is above the usual range .*base.*\[student\.learning_rate\]"),
        (Demands(), DataError, rf"this model cannot be read as an encoder: t5 has a decoder .*\[{ID}@{COMMIT}\]"),
    ],
    ids=str,
)
def test_what_an_experiment_asks_in_vain_is_said_before_the_weights_come(
    server, tmp_path, demands, error, message, of_mirror
):
    folder = tmp_path / ("mirror/huggingface.co" if of_mirror else "served") / ID
    folder = folder / "resolve" / COMMIT if of_mirror else folder / COMMIT
    write_model(folder)
    write_json(folder / "config.json", CONFIG | ({"model_type": "t5"} if error == DataError else {}))
    write_json(folder / "tokenizer.json", {"model": {"type": "Unigram"}})
    mirror = tmp_path / "mirror" if of_mirror else None
    with pytest.raises(error, match=message):
        fetch_model(ID, COMMIT, tmp_path / "model", partial(check_model, demands=demands), mirror)
    assert not list(tmp_path.glob("*model*"))
    assert not any("model.safetensors" in path for path in server.asked)


def test_weights_that_are_not_whole_are_refused_by_the_name_that_they_have_there(server, tmp_path):
    (tmp_path / "served" / ID / COMMIT / "model.safetensors").write_bytes(b"version https://git-lfs")
    with pytest.raises(DataError, match=rf"a pointer of Git LFS.*\[{ID}@{COMMIT}/model\.safetensors\]"):
        fetch_model(ID, COMMIT, tmp_path / "model")
    assert not list(tmp_path.glob("*model*"))


def test_other_frameworks_and_exports_are_left_out():
    names = ["tf_model.h5", "onnx/config.json", "openvino/model.bin", "rust_model.ot", "README.md", "training_args.bin"]
    assert chosen_files(names) == []
    kept = ["sentencepiece.bpe.model", "source.spm", "artifact.metadata", "pytorch_model-00001-of-2.bin", "vocab.txt"]
    assert chosen_files(kept) == kept
