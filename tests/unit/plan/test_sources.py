"""Which files an experiment reads, and which queries are kept out of what it learns from."""

import pytest

from optical.config.collections import FloresCollection
from optical.config.training_sets import PlainTrainingSet
from optical.errors import ConfigError
from optical.plan.changes import grid
from optical.plan.sources import (
    ATLAS_FILES,
    bitext_files,
    collection_block,
    collection_files,
    excluded_collections,
    excluded_files,
    file_of,
    given_training_set,
    has_english,
    training_set_block,
    training_set_files,
)
from support.experiments import experiment
from support.workspace import ROOT

# --- files that the config names


def test_a_file_is_there_or_made_by_a_rule(tmp_path):
    default = experiment()
    (tmp_path / "mine.tsv").touch()
    made = ["results/atlas/text/sw.txt", "results/data/any", "results/other/teacher"]
    for path in (str(tmp_path / "mine.tsv"), str(tmp_path), "config/config.yaml", *made):
        assert file_of(default, path) == path
    with pytest.raises(ConfigError, match=r"no such file .*other\.tsv.*a path from the project's folder"):
        file_of(default, str(tmp_path / "other.tsv"))
    with pytest.raises(ConfigError, match=r"the bundled collection has no text/zu\.txt"):
        file_of(default, "results/atlas/text/zu.txt")
    with pytest.raises(ConfigError, match=r"neither a data set nor a file: 'nowhere\.jsonl'"):
        file_of(default, "nowhere.jsonl")


def test_a_name_of_the_table_is_a_download_with_the_code_of_its_tool():
    opened = experiment(file="open.yaml")
    assert file_of(opened, "ntrex.{ntrex}.txt", "tl") == "results/data/ntrex.fil.txt"
    assert set(bitext_files(opened, "sw")) >= {"results/data/ntrex.swa.txt", "results/data/tico19.en-sw.tmx.zip"}


def test_the_bundled_collection_is_named_file_by_file():
    assert len(ATLAS_FILES) == len(set(ATLAS_FILES))
    assert {"results/atlas/queries/en.tsv", "results/atlas/bitext/sw.tsv"} <= set(ATLAS_FILES)
    assert "results/atlas/bitext/en.tsv" not in ATLAS_FILES


def test_sources_of_all_languages_stand_for_those_without_their_own(tmp_path):
    (tmp_path / "pairs.tsv").touch()
    changed = experiment({"bitext": {"sw": [{"pairs": str(tmp_path / "pairs.tsv")}]}})
    assert bitext_files(changed, "sw") == [str(tmp_path / "pairs.tsv")]
    assert bitext_files(changed, "de") == ["results/atlas/bitext/de.tsv"]


# --- what no training pair may contain


def test_queries_of_the_collections_are_kept_out_of_the_sentence_pairs():
    default = experiment()
    for lang in default.config.languages:
        assert excluded_collections(default, lang) == ["results/collections/atlas"]


def test_queries_that_decide_a_tuning_are_kept_out_too_and_the_tests_of_a_point():
    tuning = {"grid": {"bitext_cleaning.train_pairs": [100]}, "collection": "atlas-dev"}
    tuned = experiment(tuning=tuning)
    assert excluded_collections(tuned, "sw") == ["results/collections/atlas", "results/collections/atlas-dev"]
    [point] = grid(tuned)
    assert sorted(excluded_collections(point, "sw")) == sorted(excluded_collections(tuned, "sw"))


def test_a_collection_that_waits_for_the_tokeniser_does_not_decide_the_sentence_pairs():
    by_tokens = {"collection_table": {"atlas": {"split": {"unit": "tokens"}}}}
    assert excluded_collections(experiment(by_tokens), "sw") == []
    given = by_tokens | {"teacher": {"source": "results/other/teacher"}}
    assert excluded_collections(experiment(given), "sw") == ["results/collections/atlas"]


def test_files_of_evaluation_texts_are_filled_with_the_language(tmp_path):
    for name in ("sw.txt", "all.txt"):
        (tmp_path / name).touch()
    exclude = [str(tmp_path / "{lang}.txt"), str(tmp_path / "all.txt")]
    changed = experiment(bitext_cleaning={"exclude": exclude})
    assert excluded_files(changed, "sw") == [str(tmp_path / "sw.txt"), str(tmp_path / "all.txt")]


# --- collections


def test_a_collection_has_its_files_by_language_and_english_where_there_is_some():
    default = experiment(languages=["sw", "de"])
    queries = collection_block(default, "atlas").queries
    assert queries == {lang: f"results/atlas/queries/{lang}.tsv" for lang in ("en", "sw", "de")}
    assert len(collection_files(default, "atlas")) == 5
    assert isinstance(collection_block(experiment(file="open.yaml"), "flores"), FloresCollection)


@pytest.mark.parametrize(
    ("file", "collection", "english"),
    [
        (None, "atlas", True),
        ("open.yaml", "flores", True),
        ("open.yaml", "afriqa", True),
        ("paper.yaml", "clirmatrix", False),
        ("studies/miracl.yaml", "miracl", False),
    ],
)
def test_a_collection_has_english_queries_where_its_reader_brings_some(file, collection, english):
    assert has_english(experiment(file=file), collection) == english


# --- training sets


def own_training_set(folder, **more):
    names = {"documents": "d.jsonl", "queries": "q.tsv", "qrels": "qrels.txt"}
    for name in names.values():
        (folder / name).touch()
    return {"reader": "plain"} | {key: str(folder / name) for key, name in names.items()} | more


def test_qrels_of_ones_own_take_the_place_of_the_default_triples(tmp_path):
    given = own_training_set(tmp_path)
    changed = experiment({"teacher": {"training_set": given}})
    block = training_set_block(changed, "teacher", "en")
    assert isinstance(block, PlainTrainingSet)
    assert (block.qrels, block.triples) == (given["qrels"], None)
    assert training_set_files(changed, "teacher", "en") == [given[key] for key in ("documents", "queries", "qrels")]


def test_a_training_set_of_a_method_is_in_its_language():
    files = training_set_files(experiment(), "wikiclir", "sw")
    assert files == [f"results/atlas/wikiclir/sw/{name}" for name in ("documents.jsonl", "queries.tsv", "triples.tsv")]
    paper = training_set_block(experiment(file="paper.yaml"), "wikiclir", "sw")
    assert paper.id == "wikiclir/sw"


def test_scores_that_are_not_there_are_refused(tmp_path):
    scores = {"teacher": {"training_set": {"scores": str(tmp_path / "nowhere.tsv")}}}
    with pytest.raises(ConfigError, match="nowhere.tsv"):
        training_set_block(experiment(scores), "teacher", "en")
    (tmp_path / "nowhere.tsv").touch()
    assert training_set_block(experiment(scores), "teacher", "en").scores == str(tmp_path / "nowhere.tsv")


def test_a_method_without_training_data_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"no training data \[method_table\.optical\.training_set\]"):
        given_training_set(experiment(), "optical")


def test_a_documents_file_that_leads_nowhere_is_refused():
    nowhere = {"teacher": {"training_set": {"documents": "nowhere.jsonl"}}}
    with pytest.raises(ConfigError, match=r"neither a data set nor a file: 'nowhere\.jsonl'"):
        training_set_files(experiment(nowhere), "teacher", "en")


def test_paths_are_those_of_the_projects_folder(tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "my data").mkdir()
    for name in ("my data/pairs.tsv", "pairs.tsv"):
        (tmp_path / name).touch()
        elsewhere = experiment({"bitext": {"sw": [{"pairs": name}]}}, folder=tmp_path)
        assert bitext_files(elsewhere, "sw") == [name]
