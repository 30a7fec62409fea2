"""Everything that comes from elsewhere is named, so that what follows runs without a network."""

import pytest

from optical.errors import ConfigError
from optical.plan.changes import family
from optical.plan.downloads import dataset_row, everything, needed_downloads, parts_of_catalogue, record_of
from support.experiments import COMMIT, experiment

SMALL_TRIPLES = "msmarco-passage/train/triples-small"
CONFIG = {
    "results": "results/elsewhere",
    "languages": ["sw", "de"],
    "methods": ["english", "zero-shot", "nmt", "wikiclir"],
    "reference": "zero-shot",
    "collections": ["matrix", "flores"],
    "lexicon": None,
    "encoder": {"source": "google-bert/bert-base-multilingual-cased", "revision": COMMIT},
    "translator": {"source": "Helsinki-NLP/opus-mt-{opus}-en", "revision": {"sw": COMMIT, "de": COMMIT[::-1]}},
    "teacher": {"training_set": {"reader": "ir_datasets", "id": SMALL_TRIPLES, "triples": "docpairs"}},
    "bitext": {"*": [{"name": "ntrex", "english": "ntrex.eng.txt", "foreign": "ntrex.{ntrex}.txt"}]},
    "collection_table": {
        "matrix": {"reader": "ir_datasets", "id": "clirmatrix/en/bi139-base/{lang}/test1"},
        "flores": {
            "reader": "flores_articles",
            "sentences": "flores.devtest.{flores}.txt",
            "metadata": "flores.devtest.metadata.tsv",
        },
    },
    "method_table": {
        "wikiclir": {"training_set": {"reader": "ir_datasets", "id": "wikiclir/{lang}", "triples": "qrels"}},
    },
}
MODELS = {
    f"results/models/google-bert--bert-base-multilingual-cased--{COMMIT}",
    f"results/models/Helsinki-NLP--opus-mt-sw-en--{COMMIT}",
    f"results/models/Helsinki-NLP--opus-mt-de-en--{COMMIT[::-1]}",
}
IDS = {
    "clirmatrix/en",
    "clirmatrix/en/bi139-base/sw/test1",
    "clirmatrix/en/bi139-base/de/test1",
    SMALL_TRIPLES,
    "wikiclir/sw",
    "wikiclir/de",
}
FLORES = ("eng_Latn.txt", "swh_Latn.txt", "deu_Latn.txt", "metadata.tsv")
FILES = {f"results/data/flores.devtest.{name}" for name in FLORES}
BITEXT = {f"results/data/ntrex.{name}.txt" for name in ("eng", "swa", "deu")}
OTHER_ENCODER = {"encoder": {"source": "FacebookAI/xlm-roberta-base", "revision": COMMIT}}


def test_everything_that_an_experiment_downloads_is_named():
    expected = MODELS | {record_of(name) for name in IDS} | FILES | BITEXT
    assert set(needed_downloads(experiment(CONFIG))) == expected
    assert len(needed_downloads(experiment(CONFIG))) == len(expected)
    assert everything(experiment(CONFIG)) == needed_downloads(experiment(CONFIG))


def test_the_default_experiment_downloads_nothing():
    assert needed_downloads(experiment()) == []


def test_what_the_variants_of_a_study_download_is_named_too():
    news = {"bitext": {"sw": [{"name": "tico19", "tmx": "tico19.en-{tico}.tmx.zip"}]}}
    study = {"axis": "encoder", "variants": {"other": OTHER_ENCODER, "news": news}}
    members = family(experiment(CONFIG, study=study))
    found = {name: set(needed_downloads(members[f"results/elsewhere/{name}"])) for name in ("other", "news")}
    assert f"results/models/FacebookAI--xlm-roberta-base--{COMMIT}" in found["other"] - found["news"]
    assert "results/data/tico19.en-sw.tmx.zip" in found["news"] - found["other"]
    assert set(everything(members["results/elsewhere"])) >= found["news"] | found["other"]


def test_what_decides_a_tuning_is_fetched_and_what_a_point_of_the_grid_alone_reads():
    dev = CONFIG["collection_table"]["matrix"] | {"id": "clirmatrix/en/bi139-base/{lang}/dev"}
    tuning = {"collection": "dev", "method": "zero-shot", "grid": {"encoder.revision": [COMMIT, COMMIT[::-1]]}}
    tuned = experiment(CONFIG | {"collection_table": CONFIG["collection_table"] | {"dev": dev}}, tuning=tuning)
    assert record_of("clirmatrix/en/bi139-base/sw/dev") in needed_downloads(tuned)
    assert {path[-40:] for path in everything(tuned) if "google-bert" in path} == {COMMIT, COMMIT[::-1]}
    assert {path[-40:] for path in needed_downloads(tuned) if "google-bert" in path} == {COMMIT}


def test_bitext_that_only_pretraining_reads_is_fetched():
    trained = {"encoder": {"source": "train"}, "pretraining": {"text": "bitext"}, "methods": ["english", "zero-shot"]}
    found = set(needed_downloads(experiment({key: CONFIG[key] for key in CONFIG if key != "translator"} | trained)))
    assert found >= BITEXT
    given = {"methods": ["english", "zero-shot"]}
    assert not BITEXT & set(needed_downloads(experiment(CONFIG | given)))


# --- the catalogue of ir_datasets


def test_an_id_is_fetched_with_all_parts_that_any_experiment_takes():
    other = {"collection_table": {"matrix": {"id": "clirmatrix/en/bi139-base/{lang}/test2"}}}
    members = family(experiment(CONFIG, study={"axis": "matrix", "variants": {"other": other}})).values()
    assert parts_of_catalogue(members, "clirmatrix--en--bi139-base--sw--test1") == (
        "clirmatrix/en/bi139-base/sw/test1",
        ["qrels", "queries"],
    )
    name, _ = parts_of_catalogue(members, "clirmatrix--en--bi139-base--de--test2")
    assert name == "clirmatrix/en/bi139-base/de/test2", "that of a variant alone, too"
    with pytest.raises(ConfigError, match=r"unknown 'clirmatrix--fr'.*name it in a block"):
        parts_of_catalogue(members, "clirmatrix--fr")


def test_a_download_is_known_by_its_row():
    default = experiment()
    assert dataset_row(default, "ntrex.swa.txt")[0] == "ntrex.swa.txt"
    assert len(dataset_row(default, "ntrex.swa.txt")) == 4
    with pytest.raises(ConfigError, match="did you mean ntrex.swa.txt"):
        dataset_row(default, "ntrex.swz.txt")
