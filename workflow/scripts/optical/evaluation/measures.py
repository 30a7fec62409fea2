"""Score a run with relevance judgements: one score per query and measure, by ir_measures.

ir_measures hands each measure to the reference program of its field (trec_eval for AP, nDCG, R, P and RR), so anyone
who runs `ir_measures qrels.txt run.txt AP` gets the same figures.
"""

import logging
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ir_measures

from optical.config.measures import MEANING, MEASURE
from optical.corpora.passages import MARK, document_of_passage
from optical.errors import ConfigError, DataError
from optical.files import open_text

log = logging.getLogger("optical")

Judgments = dict[str, dict[str, int]]  # query id -> document id -> relevance
Ranking = dict[str, dict[str, float]]  # query id -> document id -> score
HIGHEST_GRADE = 10**9 - 1  # trec_eval's grades have 64 bits, its arrays fewer


def read_judgments(path: str | Path) -> Judgments:
    """Read TREC qrels as query id -> document id -> relevance; none at all is a `DataError`."""
    judgments: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with open_text(path) as file:
        try:
            for row in ir_measures.read_trec_qrels(file):
                if abs(row.relevance) > HIGHEST_GRADE:
                    raise ValueError(f"the grade of query {row.query_id}, document {row.doc_id} has over nine digits")
                if judgments[row.query_id].setdefault(row.doc_id, row.relevance) != row.relevance:
                    raise ValueError(f"query {row.query_id}, document {row.doc_id} has two grades")
        except ValueError as error:
            raise DataError(
                f"not TREC qrels: {error}", where=path, hint="four columns: query id, 0, document id, relevance"
            ) from error
    if not judgments:
        raise DataError("no relevance judgements", where=path, hint="nothing can be measured without qrels")
    return dict(judgments)


def read_ranking(path: str | Path) -> Ranking:
    """Read a TREC run as query id -> document id -> score; a score that is no finite number is a `DataError`."""
    ranking: defaultdict[str, dict[str, float]] = defaultdict(dict)
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            fields = line.split()
            if not fields:
                continue
            try:
                query_id, _, document_id, _, score, _ = fields
                value = float(score)
            except ValueError as error:
                hint = "six columns: query id, Q0, document id, rank, score, tag"
                raise DataError(f"line {number} is not a line of a TREC run", where=path, hint=hint) from error
            if not math.isfinite(value):
                raise DataError(
                    f"query {query_id}, document {document_id}: the score is {score}",
                    where=path,
                    hint="the model that made the run is broken; look at its training log",
                )
            if document_id in ranking[query_id]:
                what = f"query {query_id} has document {document_id} twice, the second time in line {number}"
                raise DataError(what, where=path, hint="a run ranks a document once")
            ranking[query_id][document_id] = value
    return dict(ranking)


def max_p(ranking: Ranking) -> Ranking:
    """Turn a ranking of passages into one of documents, each with the score of its best passage.

    >>> max_p({"q": {"a#2": 3.0, "a#0": 2.0, "b#1": 1.0}})
    {'q': {'a': 3.0, 'b': 1.0}}
    """
    documents: Ranking = {}
    for query_id, scores in ranking.items():
        best = documents.setdefault(query_id, {})
        for passage_id, score in scores.items():
            if MARK not in passage_id:
                what = f"query {query_id} has {passage_id!r}, which is not a passage id"
                raise DataError(
                    what, hint=f"a passage's id is DOCUMENT{MARK}NUMBER; leave --passages out for documents"
                )
            document_id = document_of_passage(passage_id)
            best[document_id] = max(score, best.get(document_id, score))
    return documents


def parse_measures(names: Iterable[str]) -> list[Any]:
    """Turn names such as `AP`, `nDCG@10`, `Judged@10` into ir_measures' objects.

    >>> parse_measures(["AP", "nDCG@10"])
    [AP, nDCG@10]
    """
    names = list(names)
    for name in names:
        if not re.fullmatch(MEASURE, name):
            raise ConfigError(f"unknown measure {name!r}", hint=f"give {MEANING}")
    return [ir_measures.parse_measure(name) for name in names]


def evaluate(
    ranking: Mapping[str, Mapping[str, float] | Sequence[tuple[str, float]]],
    judgments: Judgments,
    query_ids: Sequence[str],
    measures: Sequence[str],
) -> list[tuple[str, str, float]]:
    """Return (query id, measure, value) for the judged ones among `query_ids`, in their order.

    The ranking is that of a file, or a run as `optical.search.exact.to_run` returns it. A judged query without results
    scores 0, so a method gains nothing by finding nothing. A query without judgements is left out, as in trec_eval.
    Without any judged query, raise `DataError`.

    >>> judgments = {"q1": {"a": 1}, "q2": {"b": 1}}
    >>> evaluate({"q1": {"x": 2.0, "a": 1.0}}, judgments, ["q1", "q2", "q3"], ["AP"])
    [('q1', 'AP', 0.5), ('q2', 'AP', 0.0)]
    >>> evaluate({"q1": [("x", 2.0), ("a", 1.0)]}, judgments, ["q1"], ["AP"])
    [('q1', 'AP', 0.5)]
    """
    judged = [query_id for query_id in query_ids if query_id in judgments]
    if not judged:
        raise DataError(
            f"none of the {len(query_ids)} queries is judged", hint="queries and qrels must use the same query ids"
        )
    if not any(query_id in ranking for query_id in judged):
        log.warning("the run has no result for any of the %d judged queries: all scores are 0", len(judged))
    parsed = parse_measures(measures)
    value_of = {
        (metric.query_id, metric.measure): metric.value
        for metric in ir_measures.iter_calc(
            parsed,
            {query_id: _gradable(judgments[query_id]) for query_id in judged},
            {query_id: dict(ranking[query_id]) for query_id in judged if query_id in ranking},
        )
    }
    named = list(zip(measures, parsed, strict=True))  # as the config calls them, which may be an alias: MAP for AP
    return [(query_id, name, value_of[query_id, measure]) for query_id in judged for name, measure in named]


def _gradable(grades: dict[str, int]) -> dict[str, int]:
    """Return a query's grades, or only zeros if all are below -1, where trec_eval reads beyond its memory."""
    return grades if max(grades.values()) >= -1 else dict.fromkeys(grades, 0)
