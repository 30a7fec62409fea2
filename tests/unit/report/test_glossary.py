"""The glossary explains every kind of method, objective and measure that a config may name."""

from optical.config.measures import FORMS
from optical.config.objectives import Objectives
from optical.plan.methods import KINDS
from optical.report import glossary
from optical.report.sections import Report


def test_every_kind_and_objective_has_a_meaning():
    assert glossary.KINDS.keys() == KINDS.keys()
    assert glossary.OBJECTIVES.keys() == Objectives.model_fields.keys()


def test_usual_measures_have_a_meaning_and_others_a_place_to_look():
    names = {name for names, _, _ in FORMS for name in names}
    assert glossary.MEASURES.keys() <= names
    assert glossary.meaning_of_measure("nDCG@10").endswith("only the first 10 passages count.")
    assert glossary.meaning_of_measure("AP(rel=2)") == glossary.meaning_of_measure("MAP")
    assert "ir_measures" in glossary.meaning_of_measure("infAP")


def test_methods_are_explained_by_what_they_learn(tmp_path):
    block = {"kind": "distilled", "objectives": {"optimal_transport": {"weight": 1.0}, "<mine>": {}, "score_kd": None}}
    joined = {"kind": "fused", "fusion": {"methods": ["mixed", "bm25"]}}
    settings = {"method_table": {"mixed": block, "joined": joined}}
    report = Report(tmp_path, {}, {}, ["mixed", "joined"], ["AP"], "mixed", [], settings)
    body = glossary.glossary_section(report).body
    assert "by optimal transport between tokens and &lt;mine&gt;." in body
    assert "reciprocal rank fusion: mixed and bm25." in body
    assert glossary.meaning_of_method({"kind": "mine"}) == "A method of the kind mine.", "docs/extend.md adds kinds"
