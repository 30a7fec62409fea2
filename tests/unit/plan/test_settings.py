"""What decides each artefact: its own part of the config, and no other."""

import pytest

from optical.errors import ConfigError
from optical.plan import settings
from support.experiments import experiment


def test_a_method_changes_single_settings_and_keeps_the_others():
    sharp = {
        "kind": "distilled",
        "objectives": {"optimal_transport": 1.0},
        "transport": {"solver": "ipot"},
        "student": {"steps": 7},
    }
    common = {"transport": {"regularisation": 0.07}, "student": {"batch_size": 9, "sides": ["document"]}}
    read = settings.distillation_settings(experiment({"method_table": {"sharp": sharp}} | common), "sharp", 3)
    assert (read["transport"]["solver"], read["transport"]["regularisation"]) == ("ipot", 0.07)
    assert [read[key] for key in ("steps", "batch_size", "sides", "seed")] == [7, 9, ["document"], 3]
    assert "learning_rate" not in read, "the program takes it from the encoder"


def test_only_students_that_know_of_transport_depend_on_its_settings():
    default = experiment()
    methods = ["mse", "contrastive", "greedy", "score-kd", "mse-idf", "optical", "optical-uniform"]
    transport = {name: settings.distillation_settings(default, name, 1)["transport"] for name in methods}
    assert [name for name in methods if transport[name] is None] == ["mse", "contrastive", "greedy", "score-kd"]
    assert [transport[name]["marginals"] for name in methods[4:]] == ["idf", "idf", "uniform"]


def test_settings_of_the_machine_decide_no_model():
    machine = {"precision": "bf16", "device": "cpu", "threads": 3, "checkpoint_minutes": 1}
    one, other = experiment(), experiment(machine=machine)
    for decides in (settings.pretraining_settings, settings.teacher_settings, settings.shown_settings):
        assert decides(one) == decides(other)
    both = [settings.distillation_settings(each, "optical", 1) for each in (one, other)]
    assert both[0] == both[1]


def test_pretraining_knows_of_pairs_and_transport_only_where_an_objective_does():
    changes = {"transport": {"regularisation": 0.01}, "pretraining": {"pairs_batch_size": 7}}
    assert settings.pretraining_settings(experiment(changes)) == settings.pretraining_settings(experiment())
    pairs = changes | {"pretraining": {"pairs_batch_size": 7, "objectives": {"optimal_transport": 1.0}}}
    read = settings.pretraining_settings(experiment(pairs))
    assert (read["transport"]["regularisation"], read["pairs_batch_size"]) == (0.01, 7)
    lm = {"transport": {"regularisation": 0.01}, "pretraining": {"objectives": {"tlm": 1.0}}}
    assert settings.pretraining_settings(experiment(lm))["transport"] is None


def test_the_encoder_reads_as_its_block_says():
    changes = {"encoder": {"document_length": 60, "query_expansion": True}}
    assert settings.teacher_settings(experiment(changes))["encoder"] == settings.encoder_settings(experiment(changes))
    assert settings.encoder_settings(experiment(changes))["document_length"] == 60
    assert settings.longest_text(experiment(changes)) == 60
    assert settings.longest_text(experiment()) == 96


def test_a_file_of_scores_and_its_share_of_the_loss_reach_the_teacher(tmp_path):
    (tmp_path / "scores.tsv").touch()
    training_set = {"scores": str(tmp_path / "scores.tsv")}
    taught = experiment({"teacher": {"distillation": 0.5, "training_set": training_set}})
    assert settings.teacher_settings(taught)["distillation"] == 0.5


def test_a_distillation_without_scores_is_refused():
    with pytest.raises(ConfigError, match=r"no scores to learn from \[teacher\.training_set\.scores\].*name a file of"):
        settings.teacher_settings(experiment({"teacher": {"distillation": 0.5}}))


def test_a_retrained_student_meets_all_documents_of_the_batch():
    full = experiment({"teacher": {"negatives": 3, "in_batch_negatives": False}}, file="full.yaml")
    read = settings.retraining_settings(full, "wikiclir", 2)
    assert (read["in_batch_negatives"], read["negatives"], read["seed"]) == (True, 3, 2)
    longer = full.changed({"student": {"steps": 9}})
    assert settings.retraining_settings(longer, "wikiclir", 2)["steps"] == 9


def test_a_bitext_depends_on_the_rows_of_its_own_languages(tmp_path):
    (tmp_path / "mtop.json").touch()
    german = {"bitext": {"th": [{"mtop": str(tmp_path / "mtop.json"), "english_side": "de"}]}}
    changed = experiment(german, languages=["th", "sw"])
    assert settings.language_rows(changed, "sw").keys() == {"sw"}
    rows = settings.language_rows(changed, "th")
    assert {code: row["script"] for code, row in rows.items()} == {"th": "Thai", "de": "Latn"}


def test_excluded_texts_are_inputs_and_not_settings(tmp_path):
    (tmp_path / "test.txt").touch()
    changed = experiment({"bitext_cleaning": {"exclude": [str(tmp_path / "test.txt")], "dev_pairs": 7}})
    assert settings.cleaning_settings(changed).exclude == []
    assert settings.cleaning_settings(changed).dev_pairs == 7
