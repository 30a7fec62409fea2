"""Passages of all languages in one index: what stands among the first hits of a query, by the language of the passage.

With L languages of passages, the first L hits count: where each language has one relevant passage, they could be all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optical.corpora.passages import document_of_passage
from optical.evaluation.measures import Judgments, Ranking
from optical.evaluation.scores import Score

OWN, OTHERS, GAP = "own language", "other languages", "gap"


def index_measures(langs: Sequence[str]) -> list[str]:
    """Return what is measured, for these languages of passages.

    >>> index_measures(["en", "sw"])
    ['R@2', 'own language', 'other languages', 'gap', 'share of en', 'share of sw']
    """
    return [f"R@{len(langs)}", OWN, OTHERS, GAP, *(f"share of {lang}" for lang in langs)]


def index_scores(
    job: Mapping[str, Any],
    collection: str,
    ranking: Ranking,
    judgments: Judgments,
    language_of: Mapping[str, str],
    passage_languages: Sequence[str],
    query_ids: Sequence[str],
) -> Iterator[Score]:
    """Yield what `index_measures` names for each judged query of a run.

    Recall is the mean over the languages that have relevant passages. `own language` is the recall of those in the
    query's language, `other languages` the mean recall of those in each other one, and `gap` the difference; a
    query without relevant passages in its own language has only recall and shares.

    Args:
        job: method, lang and seed of the run.
        collection: its name.
        ranking: the passages of each query, best first.
        judgments: grades of documents.
        language_of: document -> its language.
        passage_languages: all languages of passages.
        query_ids: the queries.
    """
    depth = len(passage_languages)
    recall = index_measures(passage_languages)[0]
    for query_id in query_ids:
        relevant = [name for name, grade in judgments.get(query_id, {}).items() if grade > 0]
        if not relevant:
            continue
        hits = list(ranking.get(query_id, ()))[:depth]
        found: dict[str, list[bool]] = {}
        for name in relevant:
            found.setdefault(language_of[name], []).append(name in hits)
        recalls = {lang: sum(marks) / len(marks) for lang, marks in found.items()}
        values = {recall: _mean(list(recalls.values()))}
        others = [value for lang, value in recalls.items() if lang != job["lang"]]
        if job["lang"] in recalls and others:
            values |= {OWN: recalls[job["lang"]], OTHERS: _mean(others), GAP: recalls[job["lang"]] - _mean(others)}
        for lang in passage_languages:
            values[f"share of {lang}"] = sum(language_of[name] == lang for name in hits) / depth
        for measure, value in values.items():
            yield Score(collection, job["method"], job["lang"], str(job["seed"]), query_id, measure, value)


def languages_of_documents(documents: Iterator[Mapping[str, Any]], split: bool) -> dict[str, str]:
    """Return document -> language; of passages, the documents that they are parts of."""
    return {
        document_of_passage(document["id"]) if split else document["id"]: document["language"] for document in documents
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
