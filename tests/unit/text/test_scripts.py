"""Letters are told by Unicode's data, for every code that a language may have."""

import pytest
import regex

from optical.config.scripts import SCRIPTS
from optical.errors import ConfigError
from optical.text.scripts import script_share

EVERY_LETTER = "".join(regex.findall(r"\p{L}", "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))))


def test_every_code_has_letters():
    letter_of = {
        script: regex.search(f"\\p{{sc={script}}}", EVERY_LETTER) for parts in SCRIPTS.values() for script in parts
    }
    assert [code for code, parts in SCRIPTS.items() if script_share(letter_of[parts[0]][0], code) != 1] == []


def test_every_script_of_unicode_has_a_code():
    covered = "".join(f"\\p{{sc={script}}}" for script in {part for parts in SCRIPTS.values() for part in parts})
    assert regex.findall(f"[^{covered}\\p{{sc=Zyyy}}\\p{{sc=Zinh}}]", EVERY_LETTER) == []


@pytest.mark.parametrize(
    ("text", "script", "share"),
    [
        ("東京タワーは高い", "Jpan", 1),
        ("東京タワーは高い", "Hani", 3 / 8),
        ("漢字", "Hans", 1),
        ("한국 韓國", "Kore", 1),
        ("ng\u02bcombe", "Latn", 1),
        ("12 %", "Latn", 1),
    ],
)
def test_the_share_of_a_script(text, script, share):
    assert script_share(text, script) == pytest.approx(share)


@pytest.mark.parametrize("code", ["Xxxx", "Zyyy", "Zxxx", "latn", ""])
def test_a_code_without_letters_is_refused(code):
    with pytest.raises(ConfigError, match="unknown script"):
        script_share("a", code)
