"""Every format gives the same pairs; damaged sources are refused in one line."""

import gzip
import zipfile
from pathlib import Path

import pytest

from optical.bitext import readers
from optical.bitext.readers import Pair
from optical.config.bitext import BitextSource
from optical.errors import ConfigError, DataError

PAIRS = [("One house.", "Nyumba moja."), ("Two birds fly.", "Ndege wawili wanaruka."), ("Rain", "Mvua")]
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
    (folder / "a.tmx").write_text(tmx(PAIRS, "en-US", "swa"))
    (folder / "a.tmx.gz").write_bytes(gzip.compress(tmx(PAIRS).encode()))
    zipped(folder / "a.tmx.zip", **{"a.tmx": tmx(PAIRS), "README": "x"})
    zipped(folder / "m.zip", **{"README": "x", "C.en-sw.en": lines(0), "C.en-sw.sw": lines(1)})
    zipped(folder / "n.zip", **{"C.sw_KE-en.en": lines(0), "C.sw_KE-en.sw_KE": lines(1), "C.sw_KE-en.ids": "1\n"})
    return {
        "lines": {"english": folder / "a.en", "foreign": folder / "a.sw.gz"},
        "tsv": {"pairs": folder / "a.tsv"},
        "tmx": {"tmx": folder / "a.tmx"},
        "tmx.gz": {"pairs": folder / "a.tmx.gz"},
        "tmx.zip": {"pairs": folder / "a.tmx.zip"},
        "moses": {"moses": folder / "m.zip"},
        "moses reversed": {"pairs": folder / "n.zip"},
    }


@pytest.mark.parametrize("name", ["lines", "tsv", "tmx", "tmx.gz", "tmx.zip", "moses", "moses reversed"])
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
        list(read_bitext({key: tmp_path / name for key, name in source.items()}, {"sw"}))
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
