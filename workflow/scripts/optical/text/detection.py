"""The language of a text, told by lingua, whose models lie in its package: no network is needed."""

import functools
from collections.abc import Sequence
from typing import Any

from optical.errors import ResourceError


def detect_languages(texts: Sequence[str]) -> list[str]:
    """Return the code of the language of each text, such as `sw`; "" where lingua cannot tell.

    Raises:
        ResourceError: lingua is not installed.
    """
    found = _detector().detect_languages_in_parallel_of(list(texts))
    return [language.iso_code_639_1.name.lower() if language else "" for language in found]


@functools.cache
def _detector() -> Any:
    try:
        from lingua import LanguageDetectorBuilder
    except ImportError as error:
        hint = 'pip install -e ".[detect]", or name the language'
        raise ResourceError("languages are detected by lingua, which is missing", hint=hint) from error
    return LanguageDetectorBuilder.from_all_languages().build()
