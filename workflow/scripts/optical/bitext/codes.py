"""Language codes inside published files: with a region or a script, and spelt in several ways."""

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")
ENGLISH = frozenset(["en", "eng"])
# Codes whose region tells the script.
WRITTEN_IN = dict.fromkeys(("zh-cn", "zh-sg"), ["hans"]) | dict.fromkeys(("zh-tw", "zh-hk", "zh-mo"), ["hant"])


class Tongue(NamedTuple):
    """A language as files may name it: its codes, and the ISO 15924 code of its script ("" for any)."""

    codes: Set[str]
    script: str = ""


def names_of(language: Mapping[str, str]) -> set[str]:
    """Return what files may call a language, from its row of languages.tsv: its codes and its name.

    >>> sorted(names_of({"code": "sw", "name": "Swahili", "script": "Latn", "resource": "low", "tico": "sw"}))
    ['Swahili', 'sw']
    """
    return {value for column, value in language.items() if column not in ("script", "resource")}


def same_form(code: str) -> str:
    """Return a code in one spelling.

    >>> same_form("pt_BR")
    'pt-br'
    """
    return code.casefold().replace("_", "-")


def is_of(code: str, codes: Set[str]) -> bool:
    """Return whether a code names a language: one of its codes, or one of them with a region or a script.

    >>> [is_of(code, {"pt", "pt-br"}) for code in ("pt", "pt_BR", "pt-PT", "en")]
    [True, True, True, False]
    """
    code = same_form(code)
    return code in codes or code.partition("-")[0] in codes


def best_fitting(items: Iterable[tuple[str, Item]], tongue: Tongue) -> list[Item]:
    """Return the items whose code fits a language best, all that fit equally well; none where none fits.

    A code that the language has with its region comes first, then one with the language's script, then those without
    any script, then those with another.

    >>> best_fitting([("sr-Cyrl", 1), ("sr-Latn", 2), ("en", 3)], Tongue({"sr"}, "Latn"))
    [2]
    >>> best_fitting([("zh-CN", 1), ("zh-TW", 2)], Tongue({"zh"}, "Hant"))
    [2]
    >>> best_fitting([("sw-KE", 1), ("sw-TZ", 2)], Tongue({"sw", "swa"}))
    [1, 2]
    """
    ranked: dict[tuple[bool, int, bool], list[Item]] = {}
    for code, item in items:
        if is_of(code, tongue.codes):
            ranked.setdefault(_rank(same_form(code), tongue), []).append(item)
    return ranked[min(ranked)] if ranked else []


def _rank(code: str, tongue: Tongue) -> tuple[bool, int, bool]:
    exact = code in tongue.codes
    scripts = [part for part in code.split("-")[1:] if len(part) == 4 and part.isalpha()] or WRITTEN_IN.get(code, [])
    other_script = 1 if not scripts else 0 if scripts[0] == tongue.script.casefold() else 2
    return not (exact and "-" in code), other_script, not exact
