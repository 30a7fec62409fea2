"""Zip files of bitext: which of their members are sentence pairs."""

from collections.abc import Set

from optical.bitext.codes import ENGLISH, Tongue, best_fitting, is_of

Two = dict[str, str]  # "english" and "foreign" -> member


def line_aligned_members(names: list[str], tongue: Tongue) -> list[Two]:
    """Return the members that translate each other line by line, in the archive's order.

    OPUS calls them `Corpus.en-sw.en` and `Corpus.en-sw.sw`, either code first; `train.en` and `train.sw` will do. Of
    several variants of a side, such as `pt` and `pt_br`, those that fit best are taken.

    >>> line_aligned_members(["README", "A.en-sw.en", "A.en-sw.sw", "B.sw-en.sw", "B.sw-en.en"], Tongue({"sw"}))
    [{'english': 'A.en-sw.en', 'foreign': 'A.en-sw.sw'}, {'english': 'B.sw-en.en', 'foreign': 'B.sw-en.sw'}]
    """
    english: dict[str, list[tuple[str, str]]] = {}  # stem -> code and member of each variant
    foreign: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        stem, _, code = name.removesuffix(".gz").rpartition(".")
        if is_of(code, ENGLISH):
            english.setdefault(stem, []).append((code, name))
        elif is_of(code, tongue.codes) and _names_no_other_pair(stem, tongue.codes):
            foreign.setdefault(stem, []).append((code, name))
    pairs = [
        (code, {"english": member, "foreign": name})
        for stem, variants in foreign.items()
        for code, name in variants
        for member in best_fitting(english.get(stem, ()), Tongue(ENGLISH))
    ]
    return best_fitting(pairs, tongue)


def _names_no_other_pair(stem: str, codes: Set[str]) -> bool:
    """Return whether a stem such as `Corpus.en-sw` names English and the language, or, as `train`, no languages."""
    first, _, second = stem.rpartition(".")[2].partition("-")
    if is_of(first, ENGLISH):
        return not second or is_of(second, codes)
    return not is_of(second, ENGLISH) or is_of(first, codes)
