"""Which letters belong to a script, by Unicode's script extensions: a letter may belong to several."""

from functools import cache

import regex

from optical.config.scripts import SCRIPTS, script_hint
from optical.errors import ConfigError

# Letters, and the vowel signs of a script; accents that all scripts share do not count.
LETTER = regex.compile(r"[\p{L}[\p{M}--[\p{scx=Zinh}\p{scx=Zyyy}]]]", regex.VERSION1)


def signs_of(*scripts: str, by: str = "scx") -> str:
    r"""Return the signs of scripts of Unicode as a pattern for the inside of square brackets.

    Args:
        scripts: names that Unicode has.
        by: "scx" for script extensions; "sc" leaves out the signs that several scripts share.

    >>> signs_of("Hira", "Kana")
    '\\p{scx=Hira}\\p{scx=Kana}'
    """
    return "".join(f"\\p{{{by}={script}}}" for script in scripts)


@cache
def _letters_of(script: str) -> regex.Pattern[str]:
    if script not in SCRIPTS:
        raise ConfigError(f"unknown script {script!r}", where="language_table", hint=script_hint(script))
    return regex.compile(f"[{signs_of(*SCRIPTS[script])}&&[\\p{{L}}\\p{{M}}]]", regex.VERSION1)


def script_share(text: str, script: str) -> float:
    """Return the share of a text's letters that belong to a script, an ISO 15924 code; 1 for a text without letters.

    Hans and Hant are one script here, Jpan is kanji and kana, Kore is hangul and hanja. Vowel signs count as
    letters.

    >>> script_share("काल Tom", "Deva"), script_share("東京タワー", "Jpan")
    (0.5, 1.0)
    """
    letters = len(LETTER.findall(text))
    return len(_letters_of(script).findall(text)) / letters if letters else 1.0
