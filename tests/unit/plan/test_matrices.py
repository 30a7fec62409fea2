"""Any language to any language: which scores and runs the tables are made of."""

import pytest

from optical.errors import ConfigError
from optical.plan import matrices
from support.experiments import experiment

LANGS = ["en", "sw", "so", "tl", "mr", "fi", "de", "fr"]


def test_the_matrix_has_every_pair_of_languages_with_english():
    tried = experiment(file="any_to_any.yaml")
    assert matrices.query_languages(tried, "flores") == LANGS
    assert matrices.passages_of(tried, "flores") == {f"flores-{lang}": lang for lang in LANGS}
    scores = matrices.matrix_scores(tried, "flores")
    assert scores == [f"results/any_to_any/scores/flores-{read}/{asked}.tsv" for read in LANGS for asked in LANGS]
    assert matrices.references(tried) == ["zero-shot", "score-kd"]
    assert matrices.references(experiment()) == ["optical"]


def test_human_english_queries_are_no_method_of_one_index():
    tried = experiment(file="any_to_any.yaml", methods=["english", "optical"], reference="optical")
    jobs = matrices.index_runs(tried, "flores")
    assert [(job["method"], job["lang"]) for job in jobs] == [("optical", lang) for lang in LANGS]
    assert matrices.folders_of_index_runs(tried, "flores") == [
        f"results/any_to_any/runs/flores/{lang}/merged" for lang in sorted(LANGS)
    ]


def test_tables_and_figures_are_made_where_passages_are_in_several_languages():
    assert matrices.matrix_targets(experiment(file="any_to_any.yaml")) == [
        "results/any_to_any/tables/flores/matrix.tsv",
        "results/any_to_any/tables/flores/one_index.tsv",
        "results/any_to_any/figures/flores/matrix.svg",
    ]
    assert matrices.matrix_targets(experiment()) == []
    with pytest.raises(ConfigError, match=r"\[collection_table.atlas.passage_languages\]"):
        matrices.matrix_scores(experiment(), "atlas")
