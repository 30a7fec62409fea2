"""BM25 and the lexical table on real Swahili questions: the figures that were measured before."""

import html
import re
import zipfile
from pathlib import Path

import pytest

from optical.bitext.word_alignment import align, count_tables
from optical.config.bitext import WordAlignment
from optical.config.collections import AfriQaCollection, BelebeleCollection
from optical.config.methods import LexicalSettings
from optical.corpora.afriqa import read_afriqa
from optical.corpora.belebele import read_belebele
from optical.evaluation.measures import evaluate
from optical.search.lexical import index_documents, search_bm25, search_psq
from optical.text.words import words
from support.mirror import mirrored, needs_mirror

pytestmark = needs_mirror


@pytest.fixture(scope="module")
def afriqa():
    folder = "masakhane-io/afriqa/*/data/gold_passages"
    questions = {"sw": mirrored(f"{folder}/swa/*.test.json")[0]}
    passages = mirrored(f"{folder}/*/*.json")
    collection = read_afriqa(AfriQaCollection(reader="afriqa", questions=questions, passages=passages), ["sw"])
    judgments = {}
    for query_id, document_id, grade in collection.qrels:
        judgments.setdefault(query_id, {})[document_id] = grade
    return index_documents(collection.documents, LexicalSettings()), dict(collection.queries), judgments


def reciprocal_rank(run, judgments):
    rows = evaluate({query_id: dict(hits) for query_id, hits in run.items()}, judgments, list(run), ["RR@10"])
    assert len(rows) == len(run) >= 295
    return sum(value for _, _, value in rows) / len(rows)


@pytest.mark.parametrize(("lang", "expected"), [("sw", 0.344), ("en", 0.662)])
def test_bm25_gives_the_reference_points(afriqa, lang, expected):
    index, queries, judgments = afriqa
    assert reciprocal_rank(search_bm25(index, dict(queries[lang])), judgments) == pytest.approx(expected, abs=0.005)


def test_bm25_gives_the_reference_point_of_belebele():
    questions = {"en": mirrored("saeub/item-evaluation/*/data/belebele/eng_Latn.jsonl")[0]}
    collection = read_belebele(BelebeleCollection(reader="belebele", questions=questions), [])
    judgments = {query_id: {document_id: grade} for query_id, document_id, grade in collection.qrels}
    run = search_bm25(index_documents(collection.documents, LexicalSettings()), dict(collection.queries["en"]))
    assert reciprocal_rank(run, judgments) == pytest.approx(0.853, abs=0.001)


def test_translation_table_lies_between_untranslated_and_human_queries(afriqa):
    index, queries, judgments = afriqa
    english, swahili = (
        Path(mirrored(f"MicrosoftTranslator/NTREX/*/NTREX-128/newstest2019-{name}.txt")[0]).read_text().splitlines()
        for name in ("src.eng", "ref.swa")
    )
    pairs = list(zip(english, swahili, strict=True)) + tico_pairs()
    pairs = [(words(english), words(foreign)) for english, foreign in pairs]
    table, _ = count_tables(pairs, align(pairs, WordAlignment()))
    assert 0.45 < reciprocal_rank(search_psq(index, dict(queries["sw"]), table), judgments) < 0.662


def tico_pairs():
    archive = zipfile.ZipFile(mirrored("tico-19/**/all.en-sw.tmx.zip")[0])
    text = archive.read(archive.namelist()[0]).decode()
    units = (re.findall(r"<seg>(.*?)</seg>", unit, re.DOTALL) for unit in re.findall(r"<tu\b.*?</tu>", text, re.DOTALL))
    return [tuple(html.unescape(sentence) for sentence in unit[:2]) for unit in units]
