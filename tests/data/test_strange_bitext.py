"""Bitext as strangers publish it: each case is read as it should be, dropped and counted, or refused in one line."""

import pytest

from optical.bitext.clean import clean_bitext
from optical.config.bitext import BitextCleaning, BitextSource
from optical.config.tables import read_languages
from optical.errors import DataError
from optical.files import read_json, read_rows
from support.cases import CASES, needs_cases
from support.workspace import ROOT

pytestmark = needs_cases

LANGUAGES = read_languages(ROOT / "config/languages.tsv")
OTHERS = {
    "pt": {"code": "pt", "script": "Latn", "opus": "pt_br"},
    "pb": {"code": "pb", "script": "Latn", "opus": "pt_br"},
    "sr": {"code": "sr", "script": "Latn", "opus": "sr"},
    "ja": {"code": "ja", "script": "Jpan"},
    "sat": {"code": "sat", "script": "Olck"},
}
FOUR = [
    ("The cat sleeps under the table.", "Paka analala chini ya meza."),
    ("We bought three kilos of rice.", "Tulinunua kilo tatu za mchele."),
    ("Rain fell all night in Mombasa.", "Mvua ilinyesha usiku kucha Mombasa."),
    ("My uncle drives a red lorry.", "Mjomba wangu anaendesha lori jekundu."),
]
TWO_MORE = [
    ("The market opens at dawn.", "Soko linafunguliwa alfajiri."),
    ("Two goats crossed the bridge.", "Mbuzi wawili walivuka daraja."),
]
LORRIES = ["The lorry is at the petrol station.", "The truck is at the gas station."]
QUESTION = ("Which town lies by the large lake?", "Mji gani uko kando ya ziwa kubwa?")


def clean(path, folder, lang="sw", exclude=()):
    """Return the pairs of a file that are kept, and the report's part of it."""
    files = [folder / name for name in ("train.tsv", "dev.tsv", "report.json")]
    source = BitextSource(name="strange", pairs=str(path))
    clean_bitext([source], lang, LANGUAGES | OTHERS, BitextCleaning(dev_pairs=0), *files, exclude=exclude)
    return [tuple(row) for row in read_rows(files[0], 2)], read_json(files[2])["sources"][0]


READ = [
    ("UPPER.TMX", "sw", FOUR),
    ("control.tmx", "sw", [FOUR[0], FOUR[2]]),
    ("double.tmx", "sw", [("Tom & Ann went home.", "Tom & Ann walikwenda nyumbani.")]),
    ("empty_en.tmx", "sw", FOUR[:2]),
    ("garbage.tsv.gz", "sw", FOUR),
    ("gb18030.tmx", "sw", FOUR),
    ("gzmembers.zip", "sw", FOUR),
    ("mac.zip", "sw", FOUR),
    ("plainnames.zip", "sw", FOUR),
    ("ptbr.tmx", "pt", [("The cat sleeps under the table.", "O gato dorme embaixo da mesa.")]),
    ("ptbr.tmx", "pb", [("The cat sleeps under the table.", "O gato dorme embaixo da mesa.")]),
    ("ptbr.zip", "pt", [("The cat sleeps under the table.", "O gato dorme embaixo da mesa.")]),
    ("ptbr.zip", "pb", [("The cat sleeps under the table.", "O gato dorme embaixo da mesa.")]),
    ("split.zip", "sw", FOUR + TWO_MORE),
    ("srlatn.tmx", "sr", [("The cat sleeps under the table.", "Mačka spava ispod stola.")]),
    ("two.zip", "sw", FOUR + TWO_MORE),
    ("twoseg.tmx", "sw", [("The cat. It sleeps.", "Paka. Analala.")]),
]


@pytest.mark.parametrize(("name", "lang", "pairs"), READ)
def test_what_can_be_read_is_read_as_it_should_be(tmp_path, name, lang, pairs):
    assert clean(CASES / "bitext" / name, tmp_path, lang)[0] == pairs


@pytest.mark.parametrize(("name", "lang", "count"), [("ja.tsv", "ja", 2), ("sat.tsv", "sat", 1)])
def test_every_script_is_read(tmp_path, name, lang, count):
    assert len(clean(CASES / "bitext" / name, tmp_path, lang)[0]) == count


REFUSED = [
    ("bz_corrupt.zip", r"cannot read: .*bz_corrupt.zip: C.en-sw.en"),
    ("deflate64.zip", "compression method is not supported.*deflate64.zip: C.en-sw.en.*unpack it"),
    ("encrypted.zip", "encrypted.*encrypted.zip"),
    ("hidden.tsv", "compressed with gzip, but not named .gz.*rename"),
    ("plain.tsv.gz", "not compressed with gzip, as .gz says.*rename"),
    ("tab.tsv", "line 1 has 3 tab-separated columns, not two"),
    ("unknownenc.tmx", "encoding 'x-foo' is unknown"),
    ("ef.tsv", "150 read.*dropped: empty 150"),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "what"), REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, name, what):
    with pytest.raises(DataError, match=what) as caught:
        clean(CASES / "bitext" / name, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_inline_codes_are_no_text(tmp_path):
    pairs, _ = clean(CASES / "bitext/inline.tmx", tmp_path)
    assert [english for english, _ in pairs] == [
        "Press the green button twice.",
        "He read the whole book in a day.",
        "See the note Only on Sundays. below the picture.",
        "First line second line.",
    ]


def test_every_variant_of_english_is_read_where_none_is_asked_for(tmp_path):
    pairs, _ = clean(CASES / "bitext/several_en.tmx", tmp_path)
    assert [english for english, foreign in pairs if foreign == "Lori liko kwenye kituo cha mafuta."] == LORRIES


def test_a_unit_with_a_control_character_is_counted(tmp_path):
    _, report = clean(CASES / "bitext/control.tmx", tmp_path)
    assert (report["read"], report["dropped"]) == (3, {"control character": 1})


def test_entities_are_resolved_once(tmp_path):
    pairs, _ = clean(CASES / "bitext/ent.tsv", tmp_path)
    assert pairs == [
        ("Tom & Jerry aren't friends.", "Tom na Jerry si marafiki."),
        ('She said "hello" to us.', 'Alisema "habari" kwetu.'),
    ]


@pytest.mark.parametrize("name", ["topics.jsonl", "topics.xml", "test.tmx"])
def test_evaluation_texts_of_any_form_are_excluded(tmp_path, name):
    (tmp_path / "in.tsv").write_text("".join("\t".join(pair) + "\n" for pair in [QUESTION, *FOUR]))
    pairs, report = clean(tmp_path / "in.tsv", tmp_path, exclude=[CASES / "bitext" / name])
    assert (pairs, report["dropped"]) == (FOUR, {"in evaluation texts": 1})


def test_a_table_of_languages_that_is_not_utf8_is_refused():
    with pytest.raises(DataError, match="not UTF-8.*lang_latin1.tsv"):
        read_languages(CASES / "bitext/lang_latin1.tsv")
