"""What the plan knows of an encoder before any job, and what it says of values that do not fit."""

import pytest

from optical.config.fitting import FROM_SCRATCH
from optical.errors import ConfigError
from optical.files import write_json
from optical.plan import checks, models
from optical.plan.fitting import demands, unusual_values
from optical.plan.settings import demands_on
from support.experiments import COMMIT, experiment


def folder_of(path, **config):
    write_json(path / "config.json", config)
    return {"source": str(path)}


def test_the_kind_of_encoder_is_known_where_its_folder_is(tmp_path):
    assert models.encoder_kinds(experiment()) == ["scratch"]
    assert models.encoder_kinds(experiment(encoder=folder_of(tmp_path / "small", hidden_size=384))) == ["small"]
    assert models.encoder_kinds(experiment(encoder=folder_of(tmp_path / "base", hidden_size=768))) == ["base"]
    of_hub = experiment(encoder={"source": "somebody/somewhere", "revision": COMMIT})
    assert models.encoder_kinds(of_hub) == ["small", "base"]


def test_a_teacher_tells_the_kind_where_one_is_given(tmp_path):
    here = folder_of(tmp_path / "here", hidden_size=384, **{FROM_SCRATCH: True})
    elsewhere = folder_of(tmp_path / "elsewhere", hidden_size=384)
    assert models.encoder_kinds(experiment(teacher=here)) == ["scratch"]
    assert models.encoder_kinds(experiment(teacher=elsewhere)) == ["small"]
    of_hub = experiment(teacher={"source": "somebody/somewhere", "revision": COMMIT})
    assert models.encoder_kinds(of_hub) == ["small", "base"]


def test_models_that_rules_have_yet_to_make_are_as_their_study_s_encoder(tmp_path):
    assert models.encoder_kinds(experiment(encoder={"source": "results/nowhere/encoder"})) == ["scratch"]
    assert models.encoder_kinds(experiment(teacher={"source": "results/nowhere/teacher"})) == ["scratch"]
    elsewhere = folder_of(tmp_path / "elsewhere", hidden_size=384)
    both = experiment(teacher={"source": "results/nowhere/teacher"}, encoder=elsewhere)
    assert models.encoder_kinds(both) == ["small"]


def test_an_encoder_of_base_size_is_trained_as_any_other():
    large = experiment(encoder={"architecture": {"hidden_size": 768, "heads": 12}})
    assert models.encoder_kinds(large) == ["base"]


def test_a_translator_starts_from_an_encoder_that_is_trained_here(tmp_path):
    elsewhere = experiment(encoder=folder_of(tmp_path / "elsewhere", hidden_size=384))
    assert models.translator_start(experiment(), "sw") == ["results/encoder"]
    assert models.translator_start(elsewhere, "sw") == []
    warm = experiment(encoder={"source": str(tmp_path / "elsewhere")}, translator={"warm_start": True})
    assert models.translator_start(warm, "sw") == [str(tmp_path / "elsewhere")]


def test_rates_of_the_bundled_encoder_are_refused_for_another(tmp_path):
    small = folder_of(tmp_path / "small", hidden_size=384)
    for block, rate in (("teacher", 2e-3), ("student", 3e-3)):
        checks.check(experiment({block: {"learning_rate": rate}}))
        wrong = experiment({block: {"learning_rate": rate}}, encoder=small)
        with pytest.raises(
            ConfigError, match=rf"above the usual range.*\[{block}\.learning_rate\].*use .* to .*unusual"
        ):
            checks.check(wrong)
        checks.check(experiment({block: {"learning_rate": rate}}, encoder=small, unusual_values=True))


def test_few_steps_are_doubted_and_not_refused():
    rehearsal = {"teacher": {"steps": 2}, "student": {"steps": 2, "dropout": 0.95}, "translator": {"steps": 2}}
    tried = experiment(rehearsal)
    checks.check(tried)
    lines = checks.warnings(tried)
    assert [line.partition("[")[2].partition("]")[0] for line in lines] == [
        "teacher.steps",
        "student.steps",
        "student.dropout",
        "translator.steps",
    ]
    with pytest.raises(ConfigError, match=r"^1000000 is above .*\[student\.steps\]"):
        checks.check(experiment({"student": {"steps": 1_000_000}}))


def test_the_changes_of_a_method_are_looked_at_too():
    mine = {"kind": "distilled", "objectives": {"optimal_transport": 1.0}}
    changes = {"student": {"learning_rate": 1.0}, "transport": {"regularisation": 0.5}}
    used = experiment({"method_table": {"mine": mine | changes}}, methods=["mine", "optical"])
    assert [(value.where, value.refused) for value in unusual_values(used)] == [
        ("method_table.mine.student.learning_rate", True),
        ("method_table.mine.transport.regularisation", False),
    ]
    with pytest.raises(ConfigError, match=r"method_table\.mine\.student\.learning_rate"):
        checks.check(used)


def test_a_point_of_a_grid_is_looked_at_too():
    tuning = {"collection": "atlas-dev", "grid": {"student.learning_rate": [3e-3, 0.02]}}
    assert [line.split(" is ")[0] for line in checks.warnings(experiment(tuning=tuning))] == ["0.02"]
    tuning["grid"]["student.learning_rate"].append(0.5)
    with pytest.raises(ConfigError, match="0.5 is above"):
        checks.check(experiment(tuning=tuning))


@pytest.mark.parametrize("file", [None, "full.yaml", "pieces.yaml", "paper.yaml", "open.yaml", "studies/mtop.yaml"])
def test_the_configs_here_have_usual_values(file):
    assert checks.warnings(experiment(file=file)) == []


HUB = {"source": "somebody/somewhere", "revision": COMMIT}


def test_what_is_asked_of_a_model_that_arrives_is_what_its_experiments_say():
    pieces = experiment(encoder=HUB | {"query_length": 40}, vocabulary={"pieces": 500}, student={"learning_rate": 2e-3})
    folder = models.encoder(pieces)
    (asked,) = demands_on([pieces, pieces, experiment()], folder)
    assert asked == demands(pieces)
    assert (asked.extensible, asked.encoder.query_length, asked.encoder.document_length) == (True, 40, None)
    assert {value.where: value.value for value in asked.values}["student.learning_rate"] == 2e-3
    assert not demands(experiment(encoder=HUB, unusual_values=True, student={"learning_rate": 2e-3})).values
    assert len(demands_on([pieces, experiment(encoder=HUB)], folder)) == 2


def test_a_teacher_s_files_say_how_long_texts_are():
    (asked,) = demands_on([taught := experiment(teacher=HUB)], models.teacher(taught))
    assert asked.is_teacher and not asked.extensible


def test_a_study_s_teacher_that_is_not_made_yet_has_the_subwords_of_its_encoder():
    """A variant of a study learns from a teacher that its own config does not make."""
    variant = experiment(encoder=HUB, teacher={"source": "results/study/teacher"}, vocabulary={"pieces": 500})
    assert [each.extensible for each in demands_on([variant], models.model_folder(variant, "encoder", ""))] == [True]


def test_what_experiments_ask_of_a_translator_is_not_asked_of_an_encoder():
    translated = experiment(translator=HUB, vocabulary={"pieces": 500})
    assert demands_on([translated], models.translator(translated, "sw")) == []
