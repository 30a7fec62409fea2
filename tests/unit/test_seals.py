"""Whatever the workflow writes and somebody damages is noticed where it is read, in one line, or reads the same."""

import json
import os

import numpy as np
import pytest
import torch

from optical import seals
from optical.bitext.clean import clean_bitext
from optical.bitext.word_alignment import read_lexical_table, write_lexical_table
from optical.cli.main import main
from optical.cli.records import verify
from optical.config.bitext import BitextCleaning, BitextSource
from optical.config.collections import read_collection
from optical.corpora.files import read_documents, read_queries
from optical.corpora.readers import prepare_collection
from optical.errors import DataError, OpticalError, ResourceError
from optical.evaluation.measures import read_judgments, read_ranking
from optical.evaluation.scores import Score, read_scores, write_scores
from optical.files import atomic_folder, read_rows, write_json, write_lines, write_rows
from optical.models.folders import load_encoder
from optical.search.runs import read_run, write_run
from optical.search.vectors import Collection, write_vectors
from optical.text.token_files import TokenFile, write_token_file
from optical.training.checkpoints import Checkpoints
from optical.training.triples import open_scores
from optical.training.triples import write_scores as write_pair_scores
from support.tiny_models import TEXTS, save_encoder

PLACES = 30


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory):
    """Write one artefact of each kind; return their folder."""
    folder = tmp_path_factory.mktemp("results")
    with atomic_folder(folder / "model") as model:
        save_encoder(model)
    write_token_file(folder / "tokens", folder / "model", TEXTS)
    with write_vectors(folder / "vectors", 8) as writer:
        writer.append([0, 1], ["d1", "d2"], [2, 1], np.ones((3, 8), np.float16))
    write_rows(
        folder / "pairs.tsv", [(f"This is sentence {number}.", f"Hii ni sentensi {number}a.") for number in range(9)]
    )
    languages = {"en": {"code": "en", "script": "Latn"}, "sw": {"code": "sw", "script": "Latn"}}
    source = BitextSource(pairs=str(folder / "pairs.tsv"), check_alignment=False)
    where = (folder / "bitext/train.tsv", folder / "bitext/dev.tsv", folder / "bitext/report.json")
    clean_bitext([source], "sw", languages, BitextCleaning(dev_pairs=2), *where)
    write_lexical_table(folder / "table.tsv", {"moja": {"one": 0.75, "a": 0.25}})
    write_run(folder / "run.trec", {"q1": [("d1", 2.0), ("d2", 1.0)]}, "tag")
    write_scores(folder / "scores.tsv", [Score("mine", "m", "sw", "0", "q1", "AP", 0.5)])
    lines = {"docs.jsonl": ['{"id": "d1", "text": "one"}', '{"id": "d2", "text": "two"}'], "qrels": ["q1 0 d1 1"]}
    lines["sw.tsv"] = lines["en.tsv"] = ["q1\tmoja"]
    for name, content in lines.items():
        write_lines(folder / "given" / name, content)
    given = {key: str(folder / "given" / name) for key, name in (("documents", "docs.jsonl"), ("qrels", "qrels"))}
    queries = {lang: str(folder / f"given/{lang}.tsv") for lang in ("en", "sw")}
    block = {"reader": "plain", "queries": queries} | given
    prepare_collection(read_collection(block, "mine"), ["sw"], folder / "collection")
    write_pair_scores(folder / "pair_scores", [("q", "a", 1.0), ("q", "b", 2.0)], {"q": 0}, {"a": 0, "b": 1})
    Checkpoints(folder, "checkpoints").save({"step": 1, "weight": torch.arange(99.0)})
    return folder


def weights(folder):
    return {name: value.tolist() for name, value in load_encoder(folder).state_dict().items()}


def vectors(folder):
    shard = Collection([folder]).shards[0]
    return shard.tokens_between(0, 3).tolist(), list(shard.ids()), shard.order.tolist(), shard.offsets.tolist()


# What is damaged, and what reads it.
READERS = {
    "model/model.safetensors": ("model", weights),
    "model/1_Dense/model.safetensors": ("model", weights),
    "model/config.json": ("model", weights),
    "model/config_sentence_transformers.json": ("model", weights),
    "model/tokenizer.json": ("model", weights),
    "tokens/tokens.int32": ("tokens", lambda path: [ids.tolist() for ids in TokenFile(path)]),
    "tokens/offsets.npy": ("tokens", lambda path: [ids.tolist() for ids in TokenFile(path)]),
    "vectors/vectors.npy": ("vectors", vectors),
    "vectors/order.npy": ("vectors", vectors),
    "vectors/ids.txt": ("vectors", vectors),
    "vectors/meta.json": ("vectors", vectors),
    "bitext/train.tsv": ("bitext/train.tsv", lambda path: list(read_rows(path, 2))),
    "bitext/dev.tsv": ("bitext/dev.tsv", lambda path: list(read_rows(path, 2))),
    "table.tsv": ("table.tsv", read_lexical_table),
    "run.trec": ("run.trec", read_run),
    "scores.tsv": ("scores.tsv", lambda path: list(read_scores([path]))),
    "collection/documents.jsonl": ("collection/documents.jsonl", lambda path: list(read_documents(path))),
    "collection/queries/sw.tsv": ("collection/queries/sw.tsv", lambda path: list(read_queries(path))),
    "collection/qrels.txt": ("collection/qrels.txt", read_judgments),
    "pair_scores/scores.npy": ("pair_scores", lambda path: [part.tolist() for part in open_scores(path)]),
    "pair_scores/pairs.npy": ("pair_scores", lambda path: [part.tolist() for part in open_scores(path)]),
}


def damages(content):
    """Yield the content truncated and with single bits flipped, at places all over it."""
    for place in range(PLACES):
        at = place * len(content) // PLACES
        yield content[:at]
        flipped = bytearray(content)
        flipped[at] ^= 1 << place % 8
        yield bytes(flipped)


@pytest.mark.parametrize("name", READERS)
def test_no_damage_gives_other_data_silently(artefacts, name):
    place, read = READERS[name]
    path, content = artefacts / name, (artefacts / name).read_bytes()
    expected = read(artefacts / place)
    try:
        for damaged in damages(content):
            path.write_bytes(damaged)
            seals._sha256_of.cache_clear()
            with pytest.raises(DataError, match="changed since it was written") as caught:
                read(artefacts / place)
            assert "\n" not in str(caught.value)
        path.unlink()
        with pytest.raises(OpticalError):
            read(artefacts / place)
    finally:
        path.write_bytes(content)
        seals._sha256_of.cache_clear()  # the clock of a file is too coarse for a test
    assert read(artefacts / place) == expected


def test_a_damaged_checkpoint_is_never_resumed(artefacts):
    path = artefacts / "checkpoints/step-000000001.pt"
    content = path.read_bytes()
    for damaged in damages(content):
        path.write_bytes(damaged)
        assert Checkpoints(artefacts, "checkpoints").load() is None
    path.write_bytes(content)
    assert Checkpoints(artefacts, "checkpoints").load()["step"] == 1


def test_what_has_no_record_is_read_as_it_is(tmp_path):
    (tmp_path / "mine.tsv").write_text("a\tb\n")
    assert list(read_rows(tmp_path / "mine.tsv", 2)) == [["a", "b"]]
    write_rows(tmp_path / "mine.tsv", [("c", "d")], sealed=True)
    write_rows(tmp_path / "mine.tsv", [("e", "f")])
    assert list(read_rows(tmp_path / "mine.tsv", 2)) == [["e", "f"]], "who writes without a record removes the old one"
    assert os.listdir(tmp_path) == ["mine.tsv"]


def test_an_intended_change_is_accepted_by_the_command_that_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows("results/train.tsv", [("a", "b")], sealed=True)
    with atomic_folder("results/model") as folder:
        write_lines(folder / "deep" / "names.txt", ["one"])
    assert verify(tmp_path / "results") == 0
    assert "2 files have a record, 0 changed" in capsys.readouterr().out
    for name, whole in (("results/train.tsv", "results/train.tsv"), ("results/model/deep/names.txt", "results/model")):
        (tmp_path / name).write_text("c\td\n")
        with pytest.raises(DataError, match=f"optical check --accept {whole}$"):
            list(read_rows(name, 1))
        assert verify(tmp_path / "results") == 1
        assert main(["check", "--accept", whole]) == 0
        assert verify(tmp_path / "results") == 0
        assert list(read_rows(name, 2)) == [["c", "d"]]
    assert main(["check", "--accept", "nowhere"]) == 1
    assert "no such file or folder [nowhere]" in capsys.readouterr().err


def test_a_large_file_is_compared_whole_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(seals, "LARGE_BYTES", 3)
    write_lines(tmp_path / "large", ["large"], sealed=True)
    (tmp_path / "large").write_text("largf\n")
    seals.check_file(tmp_path / "large")
    with pytest.raises(DataError, match="SHA-256"):
        seals.check_file(tmp_path / "large", whole=True)
    (tmp_path / "large").write_text("large\n\n")
    with pytest.raises(DataError, match="it has 7 bytes, 6 were written"):
        seals.check_file(tmp_path / "large")


def test_another_format_is_refused_in_one_line(tmp_path):
    with atomic_folder(tmp_path / "model") as folder:
        (folder / "weights").write_text("w")
    record = tmp_path / "model" / seals.LIST
    write_json(record, json.loads(record.read_text()) | {"format": 2})
    with pytest.raises(DataError, match=r"written in format 2, this version reads 1 \[.*model\]"):
        seals.check_folder(tmp_path / "model")
    write_rows(tmp_path / "file.tsv", [("a", "b")], sealed=True)
    own = seals.beside(tmp_path / "file.tsv")
    own.write_text(own.read_text().replace("file.tsv", "fime.tsv"))
    with pytest.raises(DataError, match="damaged record"):
        list(read_rows(tmp_path / "file.tsv", 2))
    record.write_text("{")
    with pytest.raises(DataError, match="damaged record"):
        seals.check_folder(tmp_path / "model")


def test_a_read_error_is_no_damage(tmp_path, monkeypatch):
    write_lines(tmp_path / "file", ["a"], sealed=True)

    def failing(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(seals.hashlib, "file_digest", failing)
    with pytest.raises(ResourceError, match="cannot read: Input/output error"):
        seals.check_file(tmp_path / "file")


def test_runs_and_tables_keep_their_form(artefacts):
    assert (artefacts / "run.trec").read_text() == "q1 Q0 d1 1 2.000000 tag\nq1 Q0 d2 2 1.000000 tag\n"
    assert read_ranking(artefacts / "run.trec") == {"q1": {"d1": 2.0, "d2": 1.0}}
