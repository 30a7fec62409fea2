"""What each method found for each query of a language: scores, the first passages, and the rank of a relevant one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optical.corpora.passages import document_of_passage
from optical.evaluation.gains import QueryMeans
from optical.evaluation.measures import Judgments, Ranking

SHOWN = 3  # passages of a method and query
LONGEST = 300  # characters of a passage's text


def first_passages(
    ranking: Ranking, judgments: Judgments, query_ids: Sequence[str], passages: bool = False
) -> tuple[list[list[str]], list[int]]:
    """Return the ids of the first passages of each query, and the rank of its first relevant one, 0 if there is none.

    Args:
        ranking: passages of each query, best first.
        judgments: grades of documents.
        query_ids: queries, in the order of what is returned.
        passages: whether the ranking names parts of the documents that are judged.

    >>> first_passages({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}}, ["q", "other"])
    ([['a', 'b'], []], [2, 0])
    """
    shown, ranks = [], []
    for query_id in query_ids:
        names = list(ranking.get(query_id, ()))
        relevant = (rank for rank, name in enumerate(names, 1) if is_relevant(judgments, query_id, name, passages))
        shown.append(names[:SHOWN])
        ranks.append(next(relevant, 0))
    return shown, ranks


def is_relevant(judgments: Judgments, query_id: str, name: str, passages: bool) -> bool:
    """Return whether a passage, or the document that it is a part of, is relevant to a query."""
    return judgments.get(query_id, {}).get(document_of_passage(name) if passages else name, 0) > 0


def query_record(
    lang: str,
    texts: Mapping[str, Mapping[str, str]],
    means: QueryMeans,
    rankings: Iterable[tuple[str, Ranking]],
    judgments: Judgments,
    passages: bool = False,
) -> dict[str, Any]:
    """Return all that the report shows of single queries of a language, without the texts of the passages.

    Args:
        lang: the language of the queries.
        texts: language -> query id -> text, of this language and of English where there is any.
        means: scores of `query_means`.
        rankings: of each method that was run; one after the other, because each takes much memory.
        judgments: grades of documents.
        passages: whether the rankings name parts of the documents that are judged.

    Returns:
        `queries`, a dictionary for each judged query, with the relevant passages that any method shows; and `methods`,
        of each its scores, ranks and first passages (`found`) in the order of the queries.
    """
    scored = {query_id for (_, scored_lang), queries in means.items() if scored_lang == lang for query_id in queries}
    judged = [query_id for query_id in texts[lang] if query_id in scored]
    methods = {}
    shown: dict[str, set[str]] = {query_id: set() for query_id in judged}
    for method, ranking in rankings:
        found, ranks = first_passages(ranking, judgments, judged, passages)
        scores = [means[method, lang].get(query_id) for query_id in judged]
        methods[method] = {"scores": scores, "ranks": ranks, "found": found}
        for query_id, names in zip(judged, found, strict=True):
            shown[query_id].update(names)
    english = texts.get("en", {})
    queries = [
        {
            "id": query_id,
            "text": texts[lang][query_id],
            "english": english.get(query_id, ""),
            "relevant": sorted(name for name in names if is_relevant(judgments, query_id, name, passages)),
        }
        for query_id, names in shown.items()
    ]
    return {"queries": queries, "methods": methods}


def shortened(text: str) -> str:
    """Return a text of at most `LONGEST` characters, cut after a word where it is longer."""
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(None, 1)[0] + " …"
