"""Queries on which a method beats or loses to another one: means over seeds, gains, and the extremes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optical.evaluation.scores import Score

SAME = 0.0005

Row = Mapping[str, Any]
QueryMeans = dict[tuple[str, str], dict[str, float]]  # (method, language) -> query id -> mean over seeds


def query_means(scores: Iterable[Score], measure: str, collection: str = "") -> QueryMeans:
    """Return (method, language) -> query id -> mean over seeds; of one collection, where it is named."""
    per_seed: dict[tuple[str, str], dict[str, list[float]]] = {}
    for score in scores:
        if score.measure == measure and collection in ("", score.collection):
            queries = per_seed.setdefault((score.method, score.lang), {})
            queries.setdefault(score.query_id, []).append(score.value)
    return {
        key: {query_id: sum(seeds) / len(seeds) for query_id, seeds in queries.items()}
        for key, queries in per_seed.items()
    }


def gain_rows(
    means: QueryMeans,
    method: str,
    rival: str,
    texts: Mapping[str, Mapping[str, str]],
) -> list[Row]:
    """Return a row per query: both scores, the gain, and its text, by language from best to worst.

    `texts` is language -> query id -> text; its languages are those that are drawn, `en` gives the English wording.
    """
    rows: list[Row] = []
    for lang in (lang for lang in texts if lang != "en"):
        ours, theirs = means.get((method, lang), {}), means.get((rival, lang), {})
        gains = sorted((theirs[query_id] - ours[query_id], query_id) for query_id in ours if query_id in theirs)
        rows += [
            {
                "lang": lang,
                "query_id": query_id,
                "method": method,
                "score": round(ours[query_id], 6),
                "rival": rival,
                "rival_score": round(theirs[query_id], 6),
                "gain": round(-loss, 6),
                "query": texts[lang].get(query_id, ""),
                "english": texts.get("en", {}).get(query_id, ""),
            }
            for loss, query_id in gains
        ]
    return rows


def extremes(rows: Sequence[Row], lang: str, count: int) -> tuple[list[Row], list[Row]]:
    """Return the queries of a language with the greatest gains and, from the worst on, those with the greatest losses.

    A query that gained is never among the losses, however few there are.
    """
    ordered = [row for row in rows if row["lang"] == lang]
    best = [row for row in ordered if float(row["gain"]) > SAME][:count]
    worst = [row for row in reversed(ordered) if float(row["gain"]) < -SAME][:count]
    return best, worst
