"""Facts and names are those of CLDR, in each language's own words."""

import re
import subprocess
import sys
from collections import Counter

import pytest
from babel import Locale

from optical.atlas.facts import LANGUAGES, LOCALES, all_facts, fact, name_in, names_of
from support.workspace import ROOT

SCRIPT = ROOT / "workflow" / "scripts" / "generate_atlas.py"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_are_the_languages_own(lang):
    locale = Locale.parse(LOCALES[lang])
    tables = {"T": locale.territories, "L": locale.languages, "S": locale.scripts, "C": locale.currencies}
    for (slot, code), name in names_of(lang).items():
        if slot in tables:
            assert name.replace(" ", "") == re.sub("[\u200c\u200d\\s]", "", tables[slot][code])


def test_no_english_name_passes_for_a_translation():
    assert name_in("sw", "N", "Africa/Nairobi") is None  # CLDR derives it from the identifier: no Swahili name
    assert name_in("en", "N", "Africa/Nairobi") == "Nairobi"
    assert name_in("so", "N", "Africa/Nairobi") == "Nayroobi"


def test_names_stand_for_one_thing():
    for lang in LANGUAGES:
        uses = Counter((slot, name.casefold()) for (slot, _), name in names_of(lang).items())
        assert max(uses.values()) == 1


def test_known_facts():
    facts = set(all_facts())
    assert fact("currency", T="TZ", C="TZS") in facts
    assert fact("currency", T="FI", C="EUR") in facts and fact("currency", T="FI", C="FIM") not in facts
    assert fact("old", T="FI", O="FIM", Y="2002") in facts
    assert fact("script", L="mr", S="Deva") in facts
    assert fact("official", T="KE", L="sw") in facts
    assert fact("continent", T="PH", K="142") in facts
    assert fact("week", T="US", D="6") in facts and fact("week", T="DE", D="0") in facts


def test_marathi_has_its_own_digits_and_days_are_nominative():
    assert name_in("mr", "Y", "1966") == "१९६६"
    assert name_in("fi", "D", "0") == "maanantai"


def test_reading_names_leaves_babel_as_it_was():
    code = "import optical.atlas.facts as f; f.all_facts(); [f.names_of(lang) for lang in f.LANGUAGES];"
    code += "from babel import Locale; assert Locale('en_US').first_week_day == 6 and Locale('en').decimal_formats"
    folder = str(SCRIPT.parent)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)
