"""How the kinds of method work: one row a kind, and every question about kinds is answered from the row."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """What a kind of method does.

    Args:
        search: by token vectors (maxsim) or by words (lexical), or not at all: the runs of others are joined (fused).
        queries: those that are searched with: human English ones, foreign ones, or foreign ones in translation.
        reader: the model that turns queries into vectors, and passages that are not English; None where there is none.
        documents: the model that has read English passages.
        learns_from_bitext: whether it learns from sentence pairs.
        lexical_table: whether it searches through a table of word translations.
    """

    search: Literal["maxsim", "lexical", "fused"]
    queries: Literal["english", "foreign", "translated"]
    reader: Literal["teacher", "extended", "student", "dense"] | None = None
    documents: Literal["teacher", "dense"] = "teacher"
    learns_from_bitext: bool = False
    lexical_table: bool = False


# In the order in which the evaluation of a language reads their runs.
KINDS = {
    "english": Kind("maxsim", "english", reader="teacher"),
    "teacher": Kind("maxsim", "foreign", reader="teacher"),
    "extended": Kind("maxsim", "foreign", reader="extended", learns_from_bitext=True),
    "distilled": Kind("maxsim", "foreign", reader="student", learns_from_bitext=True),
    "retrained": Kind("maxsim", "foreign", reader="student", learns_from_bitext=True),
    "dense": Kind("maxsim", "foreign", reader="dense", documents="dense"),
    "dense-distilled": Kind("maxsim", "foreign", reader="student", documents="dense", learns_from_bitext=True),
    "translated": Kind("maxsim", "translated", reader="teacher", learns_from_bitext=True),
    "lexical": Kind("lexical", "foreign"),
    "structured": Kind("lexical", "foreign", learns_from_bitext=True, lexical_table=True),
    "translated-lexical": Kind("lexical", "translated", learns_from_bitext=True),
    "fused": Kind("fused", "foreign"),
}


def kinds(**traits: object) -> list[str]:
    """Return the kinds that have these traits.

    >>> kinds(reader="student")
    ['distilled', 'retrained', 'dense-distilled']
    """
    return [name for name, kind in KINDS.items() if all(getattr(kind, key) == value for key, value in traits.items())]


def kinds_searching(search: str, lang: str) -> list[str]:
    """Return the kinds that search by token vectors (maxsim) or by words (lexical) with the queries of a language.

    >>> kinds_searching("lexical", "sw"), "english" in kinds_searching("maxsim", "sw")
    (['lexical', 'structured', 'translated-lexical'], False)
    """
    return [name for name in kinds(search=search) if KINDS[name].queries != "english" or lang == "en"]
