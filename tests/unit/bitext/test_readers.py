"""Every format gives the same pairs; damaged sources are refused in one line."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from optical.bitext import readers
from optical.bitext.readers import Pair
from optical.bitext.tmx import DAMAGED
from optical.config.bitext import BitextSource
from optical.errors import ConfigError, DataError

PAIRS = [("One house.", "Nyumba moja."), ("Two, or three, birds fly.", "Ndege wawili wanaruka."), ("Rain", "Mvua")]
UNIT = '<tu tuid="{0}"><tuv xml:lang="{3}"><seg>{1}</seg></tuv><tuv xml:lang="{4}"><seg>{2}</seg></tuv></tu>'


def read_bitext(source, codes):
    """Yield the pairs of a source that is given as YAML has it."""
    values = {key: str(value) if isinstance(value, Path) else value for key, value in source.items()}
    return readers.read_bitext(BitextSource(**values), codes)


def tmx(pairs, english="en", foreign="sw", ids="Doc_1:{}"):
    units = (UNIT.format(ids.format(n), *pair, english, foreign) for n, pair in enumerate(pairs, 1))
    return f'<?xml version="1.0" encoding="UTF-8"?><tmx version="1.4"><header/><body>{"".join(units)}</body></tmx>'


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def lines(side):
    return "".join(f"{pair[side]}\n" for pair in PAIRS)


def sources(folder) -> dict[str, dict]:
    """The same three pairs in every format."""
    (folder / "a.en").write_text(lines(0))
    (folder / "a.sw.gz").write_bytes(gzip.compress(lines(1).replace("\n", "\r\n").encode()))
    (folder / "a.tsv").write_text("".join(f"{e}\t{f}\n" for e, f in PAIRS))
    (folder / "header.tsv").write_text("\ufeffEnglish\tSW\r\n" + "".join(f"{e}\t{f}\r\n" for e, f in PAIRS))
    (folder / "a.csv").write_text("".join(f'"{e}",{f}\n' for e, f in PAIRS))
    (folder / "b.CSV").write_text("\ufeffSwa;No;English\r\n" + "".join(f"{f};7;{e}\r\n" for e, f in PAIRS) + ";;\r\n")
    (folder / "c.csv.gz").write_bytes(
        gzip.compress(("Maana,en\n" + "".join(f'{f},"{e}"\n' for e, f in PAIRS)).encode())
    )
    (folder / "a.jsonl").write_text("".join(json.dumps({"sw": f, "en": e, "score": 1}) + "\n" for e, f in PAIRS))
    (folder / "b.jsonl").write_text("".join(json.dumps({"translation": {"en": e, "sw": f}}) + "\n" for e, f in PAIRS))
    (folder / "commas.csv").write_text("".join(f"{e};{f}\n" for e, f in PAIRS))
    (folder / "sep.csv").write_text("sep=;\nsw;en\n" + "".join(f"{f};{e}\n" for e, f in PAIRS))
    nllb = [{"translation": {"eng_Latn": e, "swa": f}} for e, f in PAIRS]
    (folder / "nllb.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in nllb))
    (folder / "asked.json").write_text("".join(json.dumps({"ask": f, "sw": "no", "in_en": e}) + "\n" for e, f in PAIRS))
    (folder / "named.csv").write_text("tgt,src\n" + "".join(f'{f},"{e}"\n' for e, f in PAIRS))
    (folder / "a.tmx").write_text(tmx(PAIRS, "en-US", "swa"))
    (folder / "a.tmx.gz").write_bytes(gzip.compress(tmx(PAIRS).encode()))
    zipped(folder / "a.tmx.zip", **{"a.tmx": tmx(PAIRS), "README": "x"})
    zipped(folder / "m.zip", **{"README": "x", "C.en-sw.en": lines(0), "C.en-sw.sw": lines(1)})
    zipped(folder / "n.zip", **{"C.sw_KE-en.en": lines(0), "C.sw_KE-en.sw_KE": lines(1), "C.sw_KE-en.ids": "1\n"})
    return {
        "lines": {"english": folder / "a.en", "foreign": folder / "a.sw.gz"},
        "tsv": {"pairs": folder / "a.tsv"},
        "tsv with a header": {"pairs": folder / "header.tsv"},
        "csv without a header": {"pairs": folder / "a.csv"},
        "csv of a spreadsheet": {"pairs": folder / "b.CSV"},
        "csv with one name": {"pairs": folder / "c.csv.gz"},
        "jsonl": {"pairs": folder / "a.jsonl"},
        "jsonl of the hub": {"pairs": folder / "b.jsonl"},
        "jsonl with named fields": {"pairs": folder / "asked.json", "format": "jsonl", "columns": ["in_en", "ask"]},
        "csv with commas in sentences": {"pairs": folder / "commas.csv"},
        "csv with a line for Excel": {"pairs": folder / "sep.csv"},
        "jsonl of NLLB": {"pairs": folder / "nllb.jsonl"},
        "csv with named columns": {"pairs": folder / "named.csv", "columns": ["src", "tgt"]},
        "tmx": {"tmx": folder / "a.tmx"},
        "tmx.gz": {"pairs": folder / "a.tmx.gz"},
        "tmx.zip": {"pairs": folder / "a.tmx.zip"},
        "moses": {"moses": folder / "m.zip"},
        "moses reversed": {"pairs": folder / "n.zip"},
    }


FORMS = ["lines", "tsv", "tmx", "tmx.gz", "tmx.zip", "moses", "moses reversed", "jsonl", "jsonl of the hub"]
FORMS += ["tsv with a header", "csv without a header", "csv of a spreadsheet", "csv with one name", "jsonl of NLLB"]
FORMS += [
    "csv with commas in sentences",
    "csv with a line for Excel",
    "jsonl with named fields",
    "csv with named columns",
]


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_same_pairs(tmp_path, name):
    source = sources(tmp_path)[name]
    pairs = list(read_bitext(source, {"sw", "swa", ""}))
    assert [(pair.english, pair.foreign) for pair in pairs] == PAIRS
    assert [pair.row for pair in pairs] == [1, 2, 3]
    assert {pair.document for pair in pairs} == {"Doc_1" if "tmx" in name else ""}
    assert len(list(read_bitext(source | {"limit": 2}, {"sw", "swa"}))) == 2


def test_documents_beside_the_lines(tmp_path):
    source = sources(tmp_path)["lines"] | {"documents": tmp_path / "ids.tsv"}
    (tmp_path / "ids.tsv").write_text("x\nx\ny\n")
    assert [pair.document for pair in read_bitext(source, {"sw"})] == ["x", "x", "y"]
    (tmp_path / "ids.tsv").write_text("x\nx\n")
    with pytest.raises(DataError, match="3 and 2 lines"):
        list(read_bitext(source, {"sw"}))


def test_merged_verses_are_joined_on_both_sides(tmp_path):
    (tmp_path / "en").write_text("In the beginning\nGod said\n<range>\nlight\n\nend\n<range>\n")
    (tmp_path / "sw").write_text("Hapo mwanzo\nMungu akasema\nna\n<range>\nx\nmwisho\nkweli\n")
    (tmp_path / "vref").write_text("".join(f"GEN 1:{n}\n" for n in range(1, 8)))
    source = {"english": tmp_path / "en", "foreign": tmp_path / "sw", "format": "vref", "documents": tmp_path / "vref"}
    assert list(read_bitext(source, {"sw"})) == [
        Pair("In the beginning", "Hapo mwanzo", "GEN 1", 1),
        Pair("God said light", "Mungu akasema na", "GEN 1", 2),
        Pair("end", "mwisho kweli", "GEN 1", 6),
    ]


@pytest.mark.parametrize(
    ("files", "source", "what"),
    [
        ({"e": "a\nb\n", "f": "a\n"}, {"english": "e", "foreign": "f"}, "2 and 1 lines.*fetch or export"),
        ({"e": "a\n", "f": "a\nb\nc\n"}, {"english": "e", "foreign": "f"}, "1 and 3 lines"),
        ({"p.tsv": "a b\n"}, {"pairs": "p.tsv"}, "line 1 has 1"),
        ({"p.tsv": "a\tb\nc\td\t0.7\n"}, {"pairs": "p.tsv"}, "line 2 has 3 tab-separated columns, not two"),
        ({"p.tsv": "a\t\tb\n"}, {"pairs": "p.tsv"}, "line 1 has 3 tab-separated columns, not two"),
        ({"p.csv": "id,src,tgt\n1,a,b\n"}, {"pairs": "p.csv"}, "not found in the first row: id, src, tgt.*en and sw"),
        ({"p.csv": ""}, {"pairs": "p.csv"}, "not found in the first row: it is empty"),
        ({"p.csv": "en,sw\na, b,c\n"}, {"pairs": "p.csv"}, "row 2 has 3 cells, the first one 2.*double quotes"),
        ({"p.jsonl": '{"src": "a", "sw": "b"}'}, {"pairs": "p.jsonl"}, "line 1 lacks a text in English.*are src, sw"),
        ({"p.csv": "en,sw\na,b\n"}, {"pairs": "p.csv", "columns": ["en", "swa"]}, "not found in the first row: en, sw"),
        ({"p.jsonl": '{"en": 1, "sw": "b"}'}, {"pairs": "p.jsonl"}, "line 1 lacks a text"),
        ({"p.jsonl": '["a", "b"]'}, {"pairs": "p.jsonl"}, "line 1 lacks a text"),
        ({"e.tsv": "a\tb\n".encode("utf-16")}, {"pairs": "e.tsv"}, "not UTF-8.*iconv -f utf-16 "),
        ({"e.xlsx": b"PK\x03\x04"}, {"pairs": "e.xlsx"}, "compressed with zip.*save the table as CSV"),
        ({}, {"pairs": "none.tsv"}, "no such file"),
        ({}, {"tmx": "none.tmx.zip"}, "no such file"),
        ({"x.zip": "text"}, {"moses": "x.zip"}, "not a zip file"),
        ({"x.tmx": tmx(PAIRS)[:-20]}, {"tmx": "x.tmx"}, "not well-formed XML"),
        ({"x.tmx": tmx(PAIRS, "en", "so")}, {"tmx": "x.tmx"}, "no translation unit in en and sw.*en so"),
        ({"e": b"\xff\xfe", "f": "a\n"}, {"english": "e", "foreign": "f"}, "not UTF-8"),
    ],
)
def test_damaged_sources_are_refused_in_one_line(tmp_path, files, source, what):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=what) as caught:
        list(read_bitext({key: tmp_path / name if key != "columns" else name for key, name in source.items()}, {"sw"}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("members", [{"C.en-so.en": "a\n", "C.en-so.so": "a\n"}, {"C.en-sw.en": "a\n"}, {}])
def test_a_zip_without_the_pair_is_refused(tmp_path, members):
    path = zipped(tmp_path / "m.zip", **members)
    with pytest.raises(DataError, match="no pair en-sw among"):
        list(read_bitext({"moses": path}, {"sw"}))


def test_a_zip_that_is_cut_off_is_refused(tmp_path):
    path = zipped(tmp_path / "m.zip", **{"C.en-sw.en": "a\n" * 999, "C.en-sw.sw": "b\n" * 999})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="not a zip file"):
        list(read_bitext({"moses": path}, {"sw"}))


def test_bytes_that_are_not_utf8_in_a_zip(tmp_path):
    path = zipped(tmp_path / "m.zip", **{"C.en-sw.en": "a\n", "C.en-sw.sw": b"\xe9t\xe9\n"})
    with pytest.raises(DataError, match=r"not UTF-8.*C\.en-sw\.sw"):
        list(read_bitext({"moses": path}, {"sw"}))


def test_a_unicode_line_separator_does_not_shift_the_sides(tmp_path):
    (tmp_path / "e").write_text("a\u2028b\nc\rd\n", newline="")
    (tmp_path / "f").write_text("x\ny\n")
    pairs = list(read_bitext({"english": tmp_path / "e", "foreign": tmp_path / "f"}, {"sw"}))
    assert [pair.foreign for pair in pairs] == ["x", "y"]


def test_a_source_without_the_files_of_its_format_is_refused():
    with pytest.raises(ConfigError, match=r"format vref is two files \[mine\]"):
        list(read_bitext({"name": "mine", "pairs": "x", "format": "vref"}, {"sw"}))
    with pytest.raises(ConfigError, match="format tsv is one file"):
        list(read_bitext({"mtop": "x", "format": "tsv"}, {"sw"}))


def read_zip(path, lang=("sw",), **members):
    return [pair[:2] for pair in read_bitext({"moses": zipped(path / "m.zip", **members)}, set(lang))]


def test_every_pair_of_files_of_a_zip_is_read_whatever_the_order_of_its_members(tmp_path):
    members = {
        "B.sw-en.sw": "c\n",
        "A.en-sw.en": "a\n",
        "B.sw-en.en": "d\n",
        "A.en-sw.sw": "b\n",
        "x/": "",
        "A.en-so.so": "e\n",
    }
    assert read_zip(tmp_path, **members) == [("d", "c"), ("a", "b")]
    assert read_zip(tmp_path, **{"__MACOSX/A.en-sw.en": "x\n", ".A.en-sw.en": "y\n"} | members) == [
        ("d", "c"),
        ("a", "b"),
    ]


def test_of_several_variants_in_a_zip_the_one_asked_for_is_read(tmp_path):
    members = {f"A.en-{code}.{side}": f"{code} {side}\n" for code in ("pt", "pt_BR") for side in ("en", code)}
    assert read_zip(tmp_path, ("pt", "pt_br"), **members) == [("pt_BR en", "pt_BR pt_BR")]
    assert read_zip(tmp_path, ("pt",), **members) == [("pt en", "pt pt")]


def test_variants_of_english_in_a_zip_do_not_replace_each_other(tmp_path):
    two = {"train.en_GB": "lorry\n", "train.en_US": "truck\n", "train.sw": "lori\n"}
    assert read_zip(tmp_path, **two) == [("lorry", "lori"), ("truck", "lori")]
    assert read_zip(tmp_path, **two | {"train.en": "lorry or truck\n"}) == [("lorry or truck", "lori")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (("A.en-sw.en", "a\n"), ("A.en-sw.sw", "b\n"), ("A.en-sw.en", "c\n")):
            archive.writestr(name, text)
    with pytest.raises(DataError, match=r"two members have this name \[.*A\.en-sw\.en\]"):
        list(read_bitext({"moses": path}, {"sw"}))


def test_a_member_that_is_damaged_or_unpacks_to_far_more_than_text_would_is_named(tmp_path, monkeypatch):
    members = {"A.en-sw.en": "a\n" * 9999, "A.en-sw.sw": "b\n" * 9999}
    path = zipped(tmp_path / "m.zip", **members)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"a\n" * 50, b"a\r" * 50))
    with pytest.raises(DataError, match=r"cannot read: Bad CRC-32 .*m.zip: A.en-sw.en"):
        list(read_bitext({"moses": path}, {"sw"}))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    monkeypatch.setattr("optical.zips.LARGEST_UNPACKED", 100)
    monkeypatch.setattr("optical.zips.LARGEST_GROWTH", 10)
    with pytest.raises(DataError, match="unpacks to 19998 bytes"):
        list(read_bitext({"moses": path}, {"sw"}))


def unit(**variants):
    texts = "".join(f'<tuv xml:lang="{code.replace("_", "-")}">{text}</tuv>' for code, text in variants.items())
    return f"<tu>{texts}</tu>"


def read_units_of(path, *units, codes=("sw",), script="", head="", encoding="utf-8"):
    path = path / "m.tmx"
    path.write_bytes(f"{head}<tmx><body>{''.join(units)}</body></tmx>".encode(encoding))
    return [pair[:2] for pair in readers.read_bitext(BitextSource(tmx=str(path)), set(codes), script)]


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("a <ut>code</ut>b", "a b"),
        ("un<bpt>{b</bpt>believ<ept>}</ept>able", "unbelievable"),
        ("one,<ph/>two", "one, two"),
        ("(<ph/>two<it/>)", "(two)"),
        ("<hi>a <hi>b</hi></hi> c<bpt><sub>d</sub>e</bpt>f", "a b cdf"),
        ("बात<ph/>करो", "बात करो"),
    ],
)
def test_inline_codes_of_any_kind_are_no_text(tmp_path, segment, text):
    assert read_units_of(tmp_path, unit(en=f"<seg>{segment}</seg>", sw="<seg>x</seg>")) == [(text, "x")]


def test_variants_of_a_language_by_region_and_script(tmp_path):
    chinese = unit(en="<seg>a</seg>", zh_Hans="<seg>s</seg>", zh_Hant="<seg>t</seg>", zh="<seg/>")
    assert read_units_of(tmp_path, chinese, codes=["zh"], script="Hant") == [("a", "t")]
    assert read_units_of(tmp_path, chinese, codes=["zh"]) == [("a", "s"), ("a", "t")]
    swahili = unit(eng="<seg>a</seg>", en_GB="<seg/>", sw="<seg/>", sw_KE="<seg>k</seg>", sw_TZ="<seg>k</seg>")
    assert read_units_of(tmp_path, swahili) == [("a", "k")]
    assert read_units_of(tmp_path, unit(en="<seg>a</seg>", sw="<seg/>")) == [("a", "")]


@pytest.mark.parametrize(
    ("name", "codec"), [("UTF-16", "utf-16"), ("ISO-8859-1", "latin1"), ("Shift_JIS", "shift_jis")]
)
def test_a_translation_memory_is_read_in_the_encoding_that_it_declares(tmp_path, name, codec):
    head = f'<?xml version="1.0" encoding="{name}"?>'
    text = "表" if codec == "shift_jis" else "é"
    assert read_units_of(tmp_path, unit(en="<seg>a</seg>", sw=f"<seg>{text}</seg>"), head=head, encoding=codec) == [
        ("a", text)
    ]
    with pytest.raises(DataError, match="not ascii"):
        head = '<?xml version="1.0" encoding="ascii"?>'
        read_units_of(tmp_path, unit(en="<seg>a</seg>", sw="<seg>é</seg>"), head=head)


def test_control_characters_of_a_translation_memory_are_marked_however_they_are_written(tmp_path):
    units = [
        unit(en=f"<seg>a{sign}</seg>", sw="<seg>b</seg>")
        for sign in ("\x00", "&#x1f;", "&#0011;", "&#10;", "&amp;#11;")
    ]
    texts = [english for english, _ in read_units_of(tmp_path, *units)]
    assert [DAMAGED in text for text in texts] == [True, True, True, False, False]
