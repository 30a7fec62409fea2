"""Refuse unknown names in one line that suggests the nearest known one."""

import difflib
from collections.abc import Collection, Iterable

from optical.errors import ConfigError

MULTILINGUAL = "mul"  # the code of ISO 639-2 for texts in several languages: here that of a student for all of them
SHARED = "shared"  # the translator of all methods without one of their own


def check_names(names: Iterable[str], key: str, known: Collection[str], remedy: str) -> None:
    """Raise `ConfigError` for an unknown name."""
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown {name!r}", where=key, hint=f"{remedy}; {nearest(name, known)}")


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return the nearest of the known names as a hint; if none is near, `otherwise` or all of them.

    >>> nearest("langauges", ["results", "languages"])
    'did you mean languages?'
    >>> nearest("words", ["results", "languages"])
    'known are languages, results'
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else otherwise or f"known are {', '.join(known)}"
