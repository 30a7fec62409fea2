"""Defaults by the kind of encoder, and what is said of values that do not fit it."""

import logging
from typing import get_args

import pytest

from optical.config import fitting
from optical.config.experiment import Config
from optical.config.training import DistillationSettings, StudentSettings, TeacherSettings
from optical.errors import ConfigError
from optical.files import write_json


@pytest.fixture(params=["scratch", "small", "base"])
def folder(request, tmp_path):
    """Return the folder of an encoder of each kind."""
    size = {"base": 768}.get(request.param, 384)
    more = {fitting.FROM_SCRATCH: True} if request.param == "scratch" else {}
    write_json(tmp_path / "config.json", {"model_type": "bert", "hidden_size": size} | more)
    return request.param, tmp_path


def test_a_folder_says_what_kind_of_encoder_it_holds(folder):
    kind, path = folder
    assert fitting.kind_of(path) == kind
    assert set(get_args(fitting.Kind)) == {"scratch", "small", "base"}


def test_an_encoder_of_base_size_that_is_trained_here_is_as_any_other(tmp_path):
    write_json(tmp_path / "config.json", {"hidden_size": 768, fitting.FROM_SCRATCH: True})
    assert fitting.kind_of(tmp_path) == "base"


def test_a_tokeniser_alone_was_trained_here(tmp_path):
    assert fitting.kind_of(tmp_path) == "scratch"


def test_every_row_is_a_key_of_the_config_that_waits_for_the_encoder():
    config = Config.read({})
    for key in fitting.DEFAULTS:
        block, name = key.split(".")
        assert getattr(getattr(config, block), name) is None, key
    for key in fitting.USUAL:
        block, name = key.split(".")
        assert hasattr(getattr(config, block), name), key


def test_every_default_lies_in_its_usual_range():
    for key, row in fitting.DEFAULTS.items():
        for kind in fitting.KINDS:
            assert not fitting.unusual([(key, key, getattr(row, kind))], [kind])


def test_a_given_value_stays_and_others_come_from_the_encoder(folder, caplog):
    kind, path = folder
    caplog.set_level(logging.INFO)
    read = fitting.fitted_settings(StudentSettings, "student", {"steps": 7}, path)
    assert read.steps == 7
    assert read.learning_rate == fitting.default("student.learning_rate", kind)
    assert f"the encoder is {fitting.NAMES[kind]}" in caplog.text
    assert "'learning_rate'" in caplog.text and "'steps'" not in caplog.text


def test_null_is_not_given_where_a_key_waits_for_the_encoder():
    assert fitting.fitted("teacher", {"dropout": None, "steps": None}, "small") | {"dropout": 0.0, "steps": 250} == (
        fitting.fitted("teacher", {}, "small")
    )


def test_blocks_within_settings_are_fitted_too(folder):
    kind, path = folder
    given = {"objectives": {"optimal_transport": 1.0}, "transport": {"solver": "exact"}}
    read = fitting.fitted_settings(DistillationSettings, "student", given, path)
    assert read.transport.regularisation == fitting.default("transport.regularisation", kind)
    assert fitting.fitted_settings(DistillationSettings, "student", given | {"transport": None}, path).transport is None
    without = fitting.fitted_settings(DistillationSettings, "student", {"objectives": given["objectives"]}, path)
    assert without.transport.regularisation == fitting.default("transport.regularisation", kind)
    teacher = fitting.fitted_settings(TeacherSettings, "teacher", {"encoder": {"query_length": 9}}, path)
    assert teacher.encoder.query_length == 9
    assert teacher.encoder.document_length == fitting.default("encoder.document_length", kind)


def test_a_wrong_form_is_refused_as_ever(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown key 'step' \[settings\.step\]|unknown key 'step' \[settings\]"):
        fitting.fitted_settings(StudentSettings, "student", {"step": 7}, tmp_path)
    with pytest.raises(ConfigError, match="settings"):
        fitting.fitted_settings(StudentSettings, "student", "fast", tmp_path)


def test_an_unusual_value_is_logged_with_the_range_that_works(tmp_path, caplog):
    write_json(tmp_path / "config.json", {"hidden_size": 384})
    fitting.fitted_settings(StudentSettings, "student", {"learning_rate": 1e-3}, tmp_path)
    (line,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert line == (
        "0.001 is above the usual range for this encoder (pretrained, small) [student.learning_rate]. "
        "Hint: use 2e-05 to 0.0003, or leave the key out for 0.0003"
    )


@pytest.mark.parametrize(
    ("value", "refused"), [(2e-6, True), (3e-6, False), (2e-5, None), (3e-4, None), (1e-3, False), (3e-3, True)]
)
def test_ten_times_outside_the_range_is_refused(value, refused):
    found = fitting.unusual([("student.learning_rate", "student.learning_rate", value)], ["small"])
    assert [each.refused for each in found] == ([] if refused is None else [refused])


def test_an_encoder_of_unknown_size_has_the_ranges_of_both():
    def of(value):
        return fitting.unusual([("student.learning_rate", "student.learning_rate", value)], ["small", "base"])

    assert not of(5e-6) and not of(3e-4)
    assert "(pretrained, small or pretrained, base size)" in of(4e-4)[0].message()
    assert "leave the key out for 0.0003 or 0.0001" in of(4e-4)[0].message()


@pytest.mark.parametrize("block", ["teacher", "student", "translator"])
@pytest.mark.parametrize("kind", fitting.KINDS)
def test_steps_and_dropout_have_a_usual_range(block, kind):
    def of(key, value):
        return [(each.refused, each.message()) for each in fitting.unusual([(key, key, value)], [kind])]

    for value, refused in ((1, False), (20, False), (50, None), (30000, None), (600_000, False), (10**7, True)):
        found = of(f"{block}.steps", value)
        assert [each for each, _ in found] == ([] if refused is None else [refused]), value
        assert all(message.startswith(f"{value} is ") and "use 50 to " in message for _, message in found)
    assert not of(f"{block}.dropout", 0.0) and not of(f"{block}.dropout", 0.1)
    [(refused, message)] = of(f"{block}.dropout", 0.95)
    assert not refused and "use 0 to 0.5" in message and "None" not in message
