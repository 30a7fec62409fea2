"""What the blocks of collections and training sets name: one file or several, for all languages or for each."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from optical.errors import ConfigError

Named = TypeVar("Named")


def as_list(files: str | list[str] | None) -> list[str]:
    """Return a setting that may hold one file or several as a list; nothing is an empty list.

    >>> as_list("a.txt"), as_list(["a.txt", "b.txt"]), as_list(None)
    (['a.txt'], ['a.txt', 'b.txt'], [])
    """
    if files is None:
        return []
    return [files] if isinstance(files, str) else files


def by_language(setting: str | Mapping[str, Named], languages: Iterable[str]) -> dict[str, Named]:
    """Return what a setting holds for each language, and for English where it does; a missing language is an error."""
    if isinstance(setting, str):
        raise ConfigError(
            "the queries need one file a language", where=setting, hint="{en: FILE, sw: FILE}, or a name with {lang}"
        )
    missing = [lang for lang in languages if lang not in setting]
    if missing:
        raise ConfigError(
            f"no queries in {', '.join(missing)}", hint=f"this collection has them in {', '.join(sorted(setting))}"
        )
    return {lang: setting[lang] for lang in dict.fromkeys(["en", *languages]) if lang in setting}


def passage_files(setting: str | Mapping[str, str], languages: list[str]) -> dict[str, str]:
    """Return the file of the passages in each language; a single file holds those of the only language.

    Raises:
        ConfigError: a language has no file.
    """
    files = {languages[0]: setting} if isinstance(setting, str) else setting
    if missing := [lang for lang in languages if lang not in files]:
        raise ConfigError(
            f"no passages in {', '.join(missing)}",
            hint=f"there are files of {', '.join(sorted(files)) or 'no language'}",
        )
    return {lang: files[lang] for lang in languages}


def query_files(setting: str | Mapping[str, str | list[str]], languages: Iterable[str]) -> dict[str, str]:
    """Return the query file of each language, and of English where there is one.

    Raises:
        ConfigError: a language is missing, or has several files.
    """
    files = by_language(setting, languages)
    for lang, file in files.items():
        if not isinstance(file, str):
            raise ConfigError(f"several files of {lang}", where=", ".join(file), hint="this reader takes one")
    return {lang: str(file) for lang, file in files.items()}
