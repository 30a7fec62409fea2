"""A model card shows names of strangers as they are, whatever signs they hold."""

import yaml

from optical.report.model_card import MeanScore, model_card

STUDENT = {"query_expansion": True, "dimension": 8, "query_length": 32, "document_length": 64}


def card(lang="sw", method="optical", name="tatoeba", licence="CC BY 2.0"):
    bitext = {"train": 5, "sources": [{"name": name, "kept": 5, "licence": licence}]}
    scores = [MeanScore(name, "AP", 0.5, 10)]
    return model_card("pylate", STUDENT, lang, method, {"student": {}}, bitext, scores)


def test_names_are_no_markdown():
    text = card(name="a|b\n# [x](javascript:y) <img src=z>", licence="![p](http://q)", method="m`` <b>")
    assert "| a\\|b \\# \\[x\\](javascript:y) \\<img src=z\\> | 5 | !\\[p\\](http://q) |" in text
    assert "method `m'' <b>`." in text
    assert not [line for line in text.splitlines() if line.startswith("# [")]


def test_what_a_record_says_is_no_markdown_either():
    settings = {"steps": "*5*", "transport": {"solver": "`<b>`"}}
    record = {"settings": settings, "wall_seconds": "<i>", "machine": {"device": "_a_ [b](c)"}}
    text = model_card("pylate", STUDENT, "sw", "optical", {"student": record}, None, [])
    assert "steps \\*5\\*; \\<i\\> s on \\_a\\_ \\[b\\](c); code unknown" in text
    assert "- student's transport: `{'solver': ''<b>''}`" in text


def test_usual_names_are_as_they_were():
    text = card()
    assert "| tatoeba | 5 | CC BY 2.0 |" in text and "| tatoeba | AP | 0.5000 | 10 |" in text
    assert "Distilled by the method `optical`." in text and "queries in `sw`" in text


def test_norwegian_is_a_language():
    assert yaml.safe_load(card(lang="no").split("---")[1])["language"] == ["no", "en"]
