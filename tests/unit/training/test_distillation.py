"""`distil` trains the student that the workflow trains, says what it gained, and refuses what cannot be meant."""

import json
import random
import shutil
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
import torch

import distil_student
import tokenise_bitext
from optical import Retriever, distil
from optical.errors import ConfigError, DataError
from optical.files import write_json, write_lines
from optical.models.folders import load_encoder
from optical.training import distillation, student, subwords
from support.tiny_models import save_encoder
from support.trainings import weights_of

FOREIGN = {
    "river": "mto",
    "moon": "mwezi",
    "sun": "jua",
    "north": "kaskazini",
    "question": "swali",
    "first": "kwanza",
    "where": "wapi",
}
SETTINGS = {"steps": 4, "batch_size": 8, "learning_rate": 1e-3}


def make_pairs(count):
    """Return different sentence pairs, a foreign word for each English one."""
    dice = random.Random(0)
    sentences = dict.fromkeys(tuple(dice.choices(list(FOREIGN), k=4)) for _ in range(count))
    return [(" ".join(words), " ".join(FOREIGN[word] for word in words)) for words in sentences]


PAIRS = make_pairs(200)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("distillation") / "teacher", query_length=24, document_length=24)


def test_it_trains_the_student_that_the_program_trains(teacher, tmp_path):
    made = distil(teacher, PAIRS, tmp_path / "one", SETTINGS, device="cpu")
    taught = [pair for number, pair in enumerate(PAIRS) if number % 10]
    assert (made.pairs, made.held_out) == (len(taught), len(PAIRS) - len(taught))
    write_lines(tmp_path / "train.tsv", map("\t".join, taught))
    tokens = {"tokeniser": teacher, "foreign_tokeniser": None, "bitext": tmp_path / "train.tsv"}
    tokenise_bitext.main(Namespace(**tokens, out=tmp_path / "tokens"))
    paths = {"teacher": teacher, "tokens": tmp_path / "tokens", "out": tmp_path / "other"}
    left_out = dict.fromkeys(("start", "vectors", "base", "checkpoints"))
    settings = SETTINGS | {"objectives": {"token_contrast": 1.0}}
    machine = {"device": "cpu", "precision": "fp32", "threads": torch.get_num_threads()}
    distil_student.main(Namespace(**paths, **left_out, settings=settings, **machine))
    assert weights_of(tmp_path / "one") == weights_of(tmp_path / "other")


def test_torch_is_left_as_it_was(teacher, tmp_path):
    torch.set_deterministic_debug_mode("default")  # other tests start a machine
    deterministic = torch.utils.deterministic
    deterministic.fill_uninitialized_memory = True
    distil(teacher, PAIRS[:4], tmp_path / "student", SETTINGS, device="cpu")
    assert (torch.get_deterministic_debug_mode(), deterministic.fill_uninitialized_memory) == (0, True)


def test_training_helps_on_held_out_pairs_and_the_student_searches(teacher, tmp_path, caplog):
    # a random teacher of a small size: it bears more than a pretrained one
    settings = SETTINGS | {"steps": 150, "learning_rate": 3e-3, "unusual_values": True}
    made = distil(teacher, PAIRS, tmp_path / "student", settings, device="cpu")
    assert made.student > made.teacher + 0.1 and made.p_value < 0.05
    assert f"{made.student:.3f}, the teacher's {made.teacher:.3f}: better (p = 0.0" in str(made)
    assert made.verdict == "better" and "training" not in caplog.text.lower()
    retriever = Retriever.load(tmp_path / "student", teacher=teacher)
    retriever.index([{"id": number, "text": english} for number, (english, _) in enumerate(PAIRS)], tmp_path / "index")
    english, foreign = PAIRS[1]
    (hit,) = retriever.search(foreign, top=1)
    assert sorted(hit.text.split()) == sorted(english.split()), "a random model does not know their order"


def as_csv(pairs):
    return ["sw,en", *(f"{foreign},{english}" for english, foreign in pairs)]


def as_json(pairs):
    return [json.dumps({"English": english, "Swahili": foreign}) for english, foreign in pairs]


@pytest.mark.parametrize(
    ("name", "lines"), [("pairs.tsv", lambda pairs: map("\t".join, pairs)), ("p.csv", as_csv), ("p.jsonl", as_json)]
)
def test_pairs_come_from_a_file_as_from_python(teacher, tmp_path, name, lines):
    write_lines(tmp_path / name, lines(PAIRS))
    of_file = distil(teacher, tmp_path / name, tmp_path / "one", SETTINGS, lang="sw", device="cpu")
    noisy = [*PAIRS[:40], ("no translation", " "), *((f" {one}", f"{other}  ") for one, other in PAIRS[40:]), PAIRS[3]]
    of_list = distil(str(teacher), iter(noisy), str(tmp_path / "other"), SETTINGS, device="cpu")
    assert of_file[1:] == of_list[1:]
    assert weights_of(tmp_path / "one") == weights_of(tmp_path / "other")


def test_an_interrupted_call_goes_on_from_its_checkpoint(teacher, tmp_path, monkeypatch, caplog):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    cut, checkpoints = "../cut", "../checkpoints"
    whole = distil(teacher, PAIRS, tmp_path / "whole", SETTINGS, device="cpu")
    machine, loss = distillation.Machine, student.DistillationLoss.__call__
    monkeypatch.setattr(distillation, "Machine", lambda *given: replace(machine(*given), checkpoint_steps=1))

    def interrupted(self, position):
        if position == 2:
            raise KeyboardInterrupt
        return loss(self, position)

    monkeypatch.setattr(student.DistillationLoss, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        distil(teacher, PAIRS, cut, SETTINGS, device="cpu", checkpoints=checkpoints)
    monkeypatch.setattr(student.DistillationLoss, "__call__", loss)
    caplog.set_level("INFO")
    again = distil(teacher, PAIRS, cut, SETTINGS, device="cpu", checkpoints=checkpoints)
    assert "resuming at step 2" in caplog.text
    assert again[1:] == whole[1:] and weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")


def test_a_teacher_that_is_stored_as_changes_to_a_base_that_has_moved(teacher, tmp_path, monkeypatch):
    monkeypatch.setattr(subwords, "LARGE", 10)
    base = shutil.copytree(teacher, tmp_path / "base")
    distil(base, PAIRS, tmp_path / "changed", SETTINGS, device="cpu")
    base.rename(tmp_path / "moved")
    with pytest.raises(DataError, match="say by --base"):
        distil(tmp_path / "changed", PAIRS, tmp_path / "student", SETTINGS, device="cpu")
    distil(tmp_path / "changed", PAIRS, tmp_path / "student", SETTINGS, device="cpu", base=tmp_path / "moved")
    assert load_encoder(tmp_path / "student").dimension == load_encoder(teacher).dimension


def test_few_pairs_are_all_learnt_from(teacher, tmp_path):
    made = distil(teacher, PAIRS[:19], tmp_path / "student", SETTINGS, device="cpu")
    assert (made.pairs, made.held_out) == (19, 0) and "too few to hold some out" in str(made)


@pytest.mark.parametrize(
    ("gain", "verdict", "doubt"),
    [(-0.5, "worse", "Training made the student worse"), (0.0, "cannot tell", "cannot tell whether training helped")],
)
def test_a_training_that_did_not_help_is_doubted(teacher, tmp_path, caplog, monkeypatch, gain, verdict, doubt):
    ranks = iter([np.full(20, 0.6), np.full(20, 0.6) + gain])
    monkeypatch.setattr(distillation, "_ranks_of", lambda *_: lambda reader: next(ranks))
    made = distil(teacher, PAIRS, tmp_path / "student", {"steps": 2}, device="cpu")
    assert made.verdict == verdict and f": {verdict} (p = " in str(made)
    assert [doubt in line for line in caplog.messages].count(True) == 1


def test_an_unusual_value_that_is_meant_is_a_warning(teacher, tmp_path, caplog):
    settings = {"steps": 2, "learning_rate": 4e-3, "unusual_values": True}
    assert distil(teacher, PAIRS[:4], tmp_path / "student", settings, device="cpu").pairs == 4
    assert "0.004 is above the usual range" in caplog.text


def test_what_cannot_be_meant_is_refused_before_the_training(teacher, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    write_json(save_encoder(tmp_path / "other-teacher") / "provenance.json", {"inputs": {"training_set": {}}})
    common = ["the river is in the north of the land", "where is the moon that you saw", "this was the first question"]
    fast = {"steps": 2, "learning_rate": 4e-3}
    swapped = [(f"neno {number}", f"{text} {number}") for number in range(10) for text in common]
    for error, message, pairs, to, settings in [
        (ConfigError, "the teacher's own folder", PAIRS, teacher, {}),
        (ConfigError, "is not a student, so it is not replaced", PAIRS, tmp_path / "mine", {}),
        (ConfigError, "is not a student, so it is not replaced", PAIRS, tmp_path / "other-teacher", {}),
        (DataError, "no sentence pairs", [("alone", "")], tmp_path / "student", {}),
        (DataError, "reads as English", swapped, tmp_path / "student", {}),
        (ConfigError, r"above the usual .*\[student\.learning_rate\].*unusual_values", PAIRS, tmp_path / "s", fast),
        (ConfigError, "unusual_values", PAIRS, tmp_path / "student", fast | {"unusual_values": "perhaps"}),
        (ConfigError, "stepz", PAIRS, tmp_path / "student", {"stepz": 3}),
        (ConfigError, "settings", PAIRS, tmp_path / "student", "steps"),
    ]:
        with pytest.raises(error, match=message):
            distil(teacher, pairs, to, settings, device="cpu")
    assert (
        not (tmp_path / "student").exists()
        and not (tmp_path / "s").exists()
        and (tmp_path / "mine/thesis.tex").exists()
    )
