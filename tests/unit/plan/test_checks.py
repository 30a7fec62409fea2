"""What leads nowhere is refused before any job, in one line with key and remedy."""

import shutil

import pytest

from optical.errors import ConfigError, DataError
from optical.plan.checks import check, warnings
from support.experiments import COMMIT, experiment
from support.foreign_models import change, save_pylate
from support.workspace import ROOT

PLAIN = {"reader": "plain", "documents": "results/atlas/documents.jsonl", "qrels": "results/atlas/qrels.txt"}
SEVERAL = {"documents": "results/atlas/text/{lang}.txt", "passage_languages": ["en", "sw"]}
CONFIGS = sorted(path.relative_to(ROOT / "config") for path in (ROOT / "config").rglob("*.yaml"))


@pytest.mark.parametrize("file", [path for path in CONFIGS if path.name != "pretraining_open.yaml"])
def test_our_own_configs_pass(file):
    check(experiment(file=file))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"languages": ["xx"]}, r"unknown 'xx' \[languages\].*add a row to config/languages\.tsv"),
        ({"languages": ["en", "sw"]}, r"the teacher reads English, .* \[languages\].*leave en out"),
        ({"methods": ["optcal"]}, r"unknown 'optcal' \[methods\].*did you mean optical"),
        ({"methods": ["optcal"], "bitext_curve": {"methods": []}}, r"unknown 'optcal' \[methods\]"),
        (
            {"method_table": {"optical+bm25": {"fusion": {"methods": ["optcal", "bm25"]}}}},
            r"unknown 'optcal' \[method_table\.optical\+bm25\.fusion\.methods\].*did you mean optical",
        ),
        ({"bitext_curve": {"methods": ["mze"]}}, r"unknown 'mze' \[bitext_curve\.methods\].*did you mean mse"),
        ({"collections": ["atls"]}, r"unknown 'atls' \[collections\].*did you mean atlas"),
        ({"reference": "smt"}, r"unknown 'smt' \[reference\].*name one of methods"),
        (
            {"method_table": {"mmarco": {"languages": ["de", "xx"]}}},
            r"unknown 'xx' \[method_table\.mmarco\.languages\]",
        ),
        (
            {"collection_table": {"atlas": {"languages": ["zu"]}}},
            r"no queries in any of the experiment's languages \[collection_table\.atlas\.languages\].*leave atlas out",
        ),
        (
            {"search": {"parts": 2}, "collection_table": {"atlas": {"passage_languages": ["sw"]}}},
            r"only English passages are searched in parts \[search\.parts\]",
        ),
        (
            {"methods": ["optical", "dense"], "search": {"parts": 2}},
            r"one vector for a text is not searched in parts \[search\.parts\].*leave dense out",
        ),
        (
            {"methods": ["optical", "dense+mse"], "teacher": {"source": "results/other/teacher"}},
            r"no encoder beside the given teacher \[teacher\.source\].*leave dense\+mse out",
        ),
        (
            {"method_table": {"optical": {"translator": {"beams": 2}}}},
            r"a distilled method translates nothing \[method_table\.optical\.translator\]",
        ),
        ({"methods": ["optical", "optical+bm25"]}, r"'bm25' is not among the methods .*add bm25 to methods"),
        (
            {"method_table": {"optical+bm25": {"fusion": {"methods": ["english", "optical+bm25"]}}}}
            | {"methods": ["english", "bm25", "optical", "optical+bm25"]},
            r"'english' cannot be joined \[method_table\.optical\+bm25\.fusion\.methods\]",
        ),
        ({"bitext": {"sw": []}}, r"no sentence pairs \[bitext\.sw\].*list sources for sw"),
        (
            {"methods": ["optical", "extended"]},
            r"students keep the encoder's vocabulary \[method_table\.extended\].*set vocabulary\.pieces",
        ),
        (
            {"methods": ["optical", "mine"], "method_table": {"mine": {"kind": "retrained"}}},
            r"no training data \[method_table\.mine\].*training_set, or switch",
        ),
        (
            {"methods": ["optical", "wikiclir"], "method_table": {"wikiclir": {"switch": {}}}},
            r"switch swaps words of the teacher's training set alone \[method_table\.wikiclir\]",
        ),
        (
            {"methods": ["optical", "code-switch"], "student": {"sides": ["document"]}},
            r"a retrained student learns to read queries \[method_table\.code-switch\.student\.sides\]",
        ),
        (
            {"teacher": {"training_set": {"documents": "nowhere.jsonl"}}},
            r"neither a data set nor a file: 'nowhere\.jsonl'",
        ),
        ({"teacher": {"distillation": 0.5}}, r"no scores to learn from \[teacher\.training_set\.scores\]"),
        ({"encoder": {"source": "some/model"}}, r"no model folder, and no commit: some/model \[encoder\.source\]"),
        ({"study": {"variants": {"a": {"methods": ["optcal"]}}}}, r"unknown 'optcal' \[methods\]"),
        (
            {"study": {"variants": {"a": {"method_table": {"bm25": {"kind": "teacher"}}}}}},
            r"the kind of 'bm25' differs between variants \[study\.variants\]",
        ),
        (
            {"tuning": {"collection": "atlas-dev", "grid": {"encoder.source": ["train", "some/model"]}}},
            r"no model folder, and no commit: some/model \[encoder\.source\]",
        ),
        (
            {"tuning": {"collection": "atlas", "grid": {"student.steps": [1]}}},
            r"a test collection cannot judge the grid \[tuning\.collection\]",
        ),
        (
            {"tuning": {"collection": "atlas-dve"}},
            r"unknown 'atlas-dve' \[tuning\.collection\].*did you mean atlas-dev",
        ),
        (
            {"collection_table": {"atlas": SEVERAL}, "collections": ["atlas"], "matrix": {"references": ["zero-shto"]}},
            r"unknown 'zero-shto' \[matrix\.references\].*did you mean zero-shot",
        ),
    ],
    ids=str,
)
def test_what_leads_nowhere_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        check(experiment(changes))
    assert "\n" not in str(caught.value)


def test_what_is_given_passes():
    check(experiment(file="pieces.yaml", methods=["optical", "extended"]))
    hub = {"source": "some/model", "revision": COMMIT}
    check(experiment({"encoder": hub, "translator": hub | {"source_code": "{flores}"}}))
    check(experiment({"encoder": {"source": "package:no_package/model"}, "teacher": hub}))  # which nothing reads
    own = PLAIN | {"queries": {"sw": "results/atlas/queries/sw.tsv"}, "languages": ["sw"]}
    check(experiment({"collections": ["atlas", "own"], "collection_table": {"own": own}}))
    tuning = {"collection": "flores-devtest", "grid": {"student.steps": [1, 2]}}
    check(experiment({"tuning": tuning}, file="any_to_any.yaml"))  # a point of the grid has one method alone


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory):
    return save_pylate(tmp_path_factory.mktemp("xlmr") / "model", "xlm-roberta")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": {"document_length": 188}}, r"texts of up to 187 tokens, not of 188 \[encoder\.document_length\]"),
        ({"encoder": {"query_length": 188}}, r"texts of up to 187 tokens, not of 188 \[encoder\.query_length\]"),
        ({"vocabulary": {"pieces": 500}}, r"of the kind Unigram cannot be extended \[vocabulary\.pieces\]"),
    ],
)
def test_what_a_given_encoder_cannot_do_is_refused(xlmr, changes, message):
    given = changes.get("encoder", {})
    check(experiment({"encoder": {"source": str(xlmr)}}))
    with pytest.raises(ConfigError, match=message):
        check(experiment(changes | {"encoder": {"source": str(xlmr)} | given}))


@pytest.mark.parametrize("key", ["encoder", "teacher"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"version https://git-lfs"), "a pointer of Git LFS"),
        (lambda folder: (folder / "1_Dense/model.safetensors").write_bytes(b"half"), "weights is not whole"),
        (lambda folder: change(folder / "config.json", model_type="t5"), "t5 has a decoder beside its encoder"),
    ],
)
def test_a_given_model_that_cannot_be_read_is_refused(xlmr, tmp_path, key, damage, message):
    folder = shutil.copytree(xlmr, tmp_path / "model")
    damage(folder)
    with pytest.raises(DataError, match=message):
        check(experiment({key: {"source": str(folder)}}))


def test_a_given_teacher_s_own_lengths_are_compared_with_its_positions(xlmr, tmp_path):
    folder = shutil.copytree(xlmr, tmp_path / "model")
    change(folder / "config_sentence_transformers.json", document_length=200)
    with pytest.raises(ConfigError, match="up to 187 tokens, not of 200"):
        check(experiment({"teacher": {"source": str(folder)}}))


def test_students_that_read_passages_and_learn_queries_alone_are_doubtful():
    two = {"languages": ["sw"], "methods": ["zero-shot", "mse", "optical"]}
    foreign = {"collection_table": {"atlas": {"passage_languages": ["sw"]}}}
    [mse, optical] = warnings(experiment(foreign, **two))
    assert (mse.split()[2], optical.split()[2]) == ("mse", "optical")
    assert "add document to its sides" in mse
    assert warnings(experiment(foreign, student={"sides": ["query", "document"]}, **two)) == []
    assert warnings(experiment(**two)) == []
