"""Zip files of bitext: which of their members are sentence pairs."""

from collections.abc import Set

from optical.bitext.codes import ENGLISH, Tongue, best_fitting, is_of

Two = dict[str, str]  # "english" and "foreign" -> member


def line_aligned_members(names: list[str], tongue: Tongue) -> list[Two]:
    """Return the members that translate each other line by line, in the archive's order.

    OPUS calls them `Corpus.en-sw.en` and `Corpus.en-sw.sw`, either code first; `train.en` and `train.sw` will do. Of
    several variants of the language, such as `pt` and `pt_br`, those that fit best are taken.

    >>> line_aligned_members(["README", "A.en-sw.en", "A.en-sw.sw", "B.sw-en.sw", "B.sw-en.en"], Tongue({"sw"}))
    [{'english': 'A.en-sw.en', 'foreign': 'A.en-sw.sw'}, {'english': 'B.sw-en.en', 'foreign': 'B.sw-en.sw'}]
    """
    sides: dict[tuple[str, str], Two] = {}  # stem and foreign code -> members
    english: dict[str, str] = {}
    for name in names:
        stem, _, code = name.removesuffix(".gz").rpartition(".")
        if is_of(code, ENGLISH):
            english[stem] = name
        elif is_of(code, tongue.codes):
            sides[stem, code] = {"foreign": name}
    pairs = [
        (code, {"english": english[stem], **files})
        for (stem, code), files in sides.items()
        if stem in english and _names_no_other_pair(stem, tongue.codes)
    ]
    return best_fitting(pairs, tongue)


def _names_no_other_pair(stem: str, codes: Set[str]) -> bool:
    """Return whether a stem such as `Corpus.en-sw` names English and the language, or, as `train`, no languages."""
    first, _, second = stem.rpartition(".")[2].partition("-")
    if is_of(first, ENGLISH):
        return not second or is_of(second, codes)
    return not is_of(second, ENGLISH) or is_of(first, codes)
