"""Names that lead nowhere, each refused in one line that says which was meant."""

import difflib
from collections.abc import Collection, Iterable

from optical.errors import ConfigError


def check_names(names: Iterable[str], key: str, known: Collection[str], remedy: str) -> None:
    """Raise `ConfigError` for a name that leads nowhere."""
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown {name!r}", where=key, hint=f"{remedy}; {nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return which of the known names was meant, or all of them.

    >>> nearest("langauges", ["results", "languages"])
    'did you mean languages?'
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
