"""`optical align`: a plan of equal weights, and a picture that fits."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.cli import terminal
from optical.cli.align import Alignment, picture
from support.tiny_models import TEXTS
from support.toy_results import student_of


def test_align_gives_a_plan_whose_rows_and_columns_weigh_the_same(optical, results):
    code, output, _ = optical(
        "align", "--model", student_of(results), "--teacher", results / "teacher", "mto uko wapi", "the river", "--json"
    )
    assert code == 0
    found = json.loads(output)
    plan = np.array(found["plan"])
    assert plan.shape == (len(found["foreign"]), len(found["english"])) == np.shape(found["cost"])
    np.testing.assert_allclose(plan.sum(axis=1), 1 / len(plan), atol=1e-3)
    assert found["transport_cost"] == pytest.approx((plan * np.array(found["cost"])).sum())


def test_align_transports_as_the_model_was_trained_unless_told_otherwise(optical, results):
    arguments = ["align", "--model", student_of(results), "mto uko", "the river", "--json"]
    trained = json.loads(optical(*arguments)[1])["transport"]
    assert trained == {"solver": "ipot", "regularisation": 0.2}
    told = json.loads(optical(*arguments, "--solver", "exact", "--regularisation", "0.5")[1])["transport"]
    assert told == {"solver": "exact", "regularisation": 0.5}


def test_align_aligns_a_sentence_with_itself_on_the_diagonal(optical, results):
    arguments = ["align", "--model", results / "teacher", TEXTS[0], TEXTS[0], "--solver", "exact", "--json"]
    plan = np.array(json.loads(optical(*arguments)[1])["plan"])
    np.testing.assert_allclose(plan, np.eye(len(plan)) / len(plan), atol=1e-6)


def test_align_draws_a_picture_of_marathi(optical, results, tmp_path):
    code, output, _ = optical(
        "align", "--model", student_of(results), "चंद्र आणि सूर्य", "the moon", "--png", tmp_path / "plan.png"
    )
    assert code == 0
    assert "चंद्र" in output and set("░▒▓█") & set(output)
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


@given(
    foreign=st.lists(st.sampled_from(["swali", "##la", "चंद्र", "月", "é"]), min_size=1, max_size=6),
    english=st.lists(st.sampled_from(["the", "question", "##s", "moon"]), min_size=1, max_size=20),
    columns=st.integers(40, 120),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_a_picture_fits_the_terminal_and_shows_every_token(foreign, english, columns, seed):
    plan = np.random.default_rng(seed).random((len(foreign), len(english))).tolist()
    lines = picture(Alignment(foreign, english, plan, plan), columns).splitlines()
    assert max(terminal.width(line) for line in lines) <= columns
    heads = " ".join(line for line in lines if not any(sign in line for sign in "░▒▓█.")).split()
    assert heads == english
