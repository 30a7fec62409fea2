"""Reading every format of bitext, cleaning it, keeping evaluation texts out, and splitting it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optical.bitext.clean import clean_bitext, split
from optical.bitext.filters import matching_key
from optical.bitext.readers import read_bitext
from optical.config.bitext import BitextCleaning, BitextSource
from optical.errors import ConfigError, DataError
from optical.files import read_json, read_rows

DEFAULTS = BitextCleaning()
SWAHILI = {"code": "sw", "name": "Swahili", "script": "Latn", "resource": "low", "ntrex": "swa", "tico": ""}
UNIT = '<tu tuid="{0}"><tuv xml:lang="{3}"><seg>{1}</seg></tuv><tuv xml:lang="{4}"><seg>{2}</seg></tuv></tu>'


def tmx(pairs, english="en", foreign="sw", ids="Doc_1:{}"):
    units = (UNIT.format(ids.format(n), *pair, english, foreign) for n, pair in enumerate(pairs, 1))
    return f'<?xml version="1.0" encoding="UTF-8"?><tmx version="1.4"><header/><body>{"".join(units)}</body></tmx>'


def many(count=400, start=0):
    return [
        (f"Sentence {n} about {n * 7} birds", f"Sentensi {n} kuhusu ndege {n * 7}") for n in range(start, start + count)
    ]


def clean(folder, pairs, language=SWAHILI, exclude=(), **settings):
    (folder / "in.tsv").write_text("".join(f"{e}\t{f}\n" for e, f in pairs))
    outputs = [folder / name for name in ("train.tsv", "dev.tsv", "report.json")]
    source = BitextSource(name="mine", pairs=str(folder / "in.tsv"), licence="CC0-1.0")
    chosen = BitextCleaning(**{"dev_pairs": 20} | settings)
    languages = {"en": {"script": "Latn"}, "sw": language}
    clean_bitext([source], "sw", languages, chosen, *outputs, exclude=exclude)
    train, dev = ([tuple(row) for row in read_rows(path, 2)] for path in outputs[:2])
    return train, dev, read_json(outputs[2])


def test_cleaning_counts_every_pair_once(tmp_path):
    pairs = many() + [
        many()[3],
        ("sentence 3, about 21 BIRDS!", many()[3][1]),
        ("Same thing", "same thing"),
        (" ", "x"),
    ]
    train, dev, report = clean(tmp_path, pairs)
    part = report["sources"][0]
    assert part["dropped"] == {"duplicate": 2, "empty": 1, "untranslated": 1}
    assert part["kept"] + sum(part["dropped"].values()) == part["read"] == len(pairs)
    assert (report["train"], report["dev"]) == (len(train), len(dev)) == (380, 20)
    assert part["licence"] == "CC0-1.0"
    assert set(train) | set(dev) == set(many())


def test_misaligned_rows_are_dropped_and_named_or_shifted_back(tmp_path):
    pairs = many(600)
    foreign = [pair[1] for pair in pairs]
    foreign[200:300] = foreign[199:299]
    faulty = [(english, other) for (english, _), other in zip(pairs, foreign, strict=True)]
    train, dev, report = clean(tmp_path, faulty)
    assert set(train + dev) <= set(pairs)
    run, edge = report["sources"][0]["alignment"]["runs"]
    assert (run["from"], run["to"], run["shift"], run["action"]) == ("200", "299", 1, "dropped")
    assert run["reading"] == "the foreign side of row k translates row k-1"
    assert (edge["from"], edge["shift"]) == ("300", None)  # the translation of row 300 was overwritten
    assert report["sources"][0]["dropped"]["misaligned"] == 101
    train, dev, report = clean(tmp_path, faulty, repair="shift")
    assert set(train + dev) == set(pairs) - {pairs[299]}
    train, dev, report = clean(tmp_path, faulty, check_alignment=False)
    assert len(train) + len(dev) == 600
    assert not report["sources"][0]["alignment"]["checked"]


def test_evaluation_texts_stay_out_in_either_language(tmp_path):
    (tmp_path / "flores.txt").write_text("sentence 5 about 35 BIRDS.\n")
    (tmp_path / "queries.tsv").write_text("q1\tSentensi 6 kuhusu ndege 42\n")
    passage = "First words. Sentence 7 about 49 birds. And so on for long."
    (tmp_path / "documents.jsonl").write_text(json.dumps({"id": "d", "title": "Sentence 8", "text": passage}) + "\n")
    (tmp_path / "test.csv").write_text('"Sentence 9 about 63 birds",a,b\n')
    exclude = [tmp_path / name for name in ("flores.txt", "queries.tsv", "documents.jsonl", "test.csv")]
    train, dev, report = clean(tmp_path, many(), exclude=exclude)
    assert report["sources"][0]["dropped"] == {"in evaluation texts": 4}
    assert set(many()) - set(train + dev) == {many()[n] for n in (5, 6, 7, 9)}


def test_a_pair_that_holds_an_evaluation_text_stays_out_too(tmp_path):
    queries = tmp_path / "collection/queries"
    queries.mkdir(parents=True)
    (queries / "en.tsv").write_text("5\tWho founded the city of Dodoma?\n")
    (queries / "sw.tsv").write_text("sentence 6 about 42 birds\tNani aliuanzisha mji wa Dodoma?\n")
    held = [
        ("Who founded the city of Dodoma? Nobody knows it.", "Hakuna anayejua hilo."),
        ("Tell me.", "Niambie. Nani aliuanzisha mji wa Dodoma?"),
    ]
    train, dev, report = clean(tmp_path, many() + held, exclude=[tmp_path / "collection"], check_alignment=False)
    assert report["sources"][0]["dropped"] == {"in evaluation texts": 2}  # ids are no texts
    assert set(train + dev) == set(many())


@pytest.mark.parametrize("sign", "\u200b\u2060\ufeff\u00ad")
def test_a_query_with_an_invisible_sign_is_found_and_so_is_a_pair_with_one(tmp_path, sign):
    pairs = many(60)
    (tmp_path / "exclude.txt").write_text(f"{pairs[7][1].replace('ndege', f'nde{sign}ge')}\n{pairs[8][0]}\n")
    pairs[8] = (pairs[8][0].replace("birds", f"bi{sign}rds"), pairs[8][1])
    train, dev, report = clean(tmp_path, pairs, exclude=[tmp_path / "exclude.txt"], check_alignment=False)
    assert report["sources"][0]["dropped"] == {"in evaluation texts": 2}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("empties", [range(400), range(0, 400, 2), range(50, 400)])
def test_rows_without_a_side_are_dropped_as_empty_and_the_others_are_checked(tmp_path, empties):
    pairs = [(english, "" if n in empties else foreign) for n, (english, foreign) in enumerate(many())]
    if len(empties) == 400:
        with pytest.raises(DataError, match="dropped: empty 400"):
            clean(tmp_path, pairs)
        return
    report = clean(tmp_path, pairs)[2]["sources"][0]
    assert report["dropped"] == {"empty": len(empties)}
    assert report["alignment"]["checked"] == (400 - len(empties) >= 100)


def test_languages_and_sources_agree_on_what_is_held_out():
    one = [(english, f"{foreign} moja") for english, foreign in many()]
    two = [(english.upper(), f"{foreign} mbili") for english, foreign in reversed(many())]
    _, dev_one, _ = split(one, BitextCleaning(dev_pairs=50))
    _, dev_two, _ = split(two, BitextCleaning(dev_pairs=50))
    _, dev_other, _ = split(one, BitextCleaning(dev_pairs=50, seed=2))
    assert {matching_key(english) for english, _ in dev_one} == {matching_key(english) for english, _ in dev_two}
    assert len(dev_one) == 50
    assert {pair for pair, _ in dev_one} != {pair for pair, _ in dev_other}


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("stuvwxyz")), max_size=40),
    st.integers(0, 10),
    st.one_of(st.none(), st.integers(0, 10)),
)
def test_no_sentence_straddles_the_split(pairs, dev_pairs, train_pairs):
    train, dev, held_back = split(pairs, BitextCleaning(dev_pairs=dev_pairs, train_pairs=train_pairs))
    assert not {english for english, _ in train} & {english for english, _ in dev}
    assert not {foreign for _, foreign in train} & {foreign for _, foreign in dev}
    assert len(train) + len(dev) + sum(held_back.values()) == len(pairs)
    assert len(dev) >= min(dev_pairs, len(pairs))
    assert train_pairs is None or len(train) <= train_pairs


def test_smaller_training_sets_are_parts_of_larger_ones():
    small, middle = (split(many(), BitextCleaning(dev_pairs=10, train_pairs=count)).train for count in (50, 150))
    assert (len(small), len(middle)) == (50, 150)
    assert set(small) < set(middle)
    assert small == [pair for pair in many() if pair in set(small)]


def test_nothing_left_is_an_error_and_leaves_no_file(tmp_path):
    with pytest.raises(DataError, match="no pair is left.*5 read.*untranslated 5.*lower dev_pairs"):
        clean(tmp_path, [(f"same {n}", f"same {n}") for n in range(5)])
    with pytest.raises(DataError, match="no pair is left"):
        clean(tmp_path, many(15))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tsv"]


def test_languages_of_the_sources_are_in_the_table(tmp_path):
    source = BitextSource(mtop="x", english_side="de")
    with pytest.raises(ConfigError, match="unknown 'de'"):
        clean_bitext([source], "sw", {"sw": SWAHILI}, DEFAULTS, *[tmp_path / name for name in "abc"])


def test_large_translation_memories_are_streamed(tmp_path):
    path = tmp_path / "big.tmx"
    text = tmx(many(3000))
    path.write_text(text)
    assert sum(1 for _ in read_bitext(BitextSource(tmx=str(path)), {"sw"})) == 3000
    path.write_text(text[:-1000])  # who reads all before the first pair does not get that far
    reader = read_bitext(BitextSource(tmx=str(path)), {"sw"})
    assert next(reader).row == 1
    with pytest.raises(DataError):
        list(reader)


def test_swapped_sides_are_refused(tmp_path):
    pairs = [(f"Niliona ndege {n} kwenye bustani ya jirani", f"I saw the {n} birds in the garden") for n in range(30)]
    with pytest.raises(DataError, match="the foreign side reads as English") as caught:
        clean(tmp_path, pairs)
    assert "English first" in caught.value.hint
    clean(tmp_path, [(english, foreign) for foreign, english in pairs], check_alignment=False)


@pytest.mark.parametrize("end", [". ", "። ", "؟ ", "։ ", "॥ ", "᱾ ", "。"])
def test_a_sentence_of_a_test_text_is_dropped_whatever_ends_it(tmp_path, end):
    pairs = many(60)
    others = "and here are some other words"
    (tmp_path / "exclude.txt").write_text(f"{others}{end}{pairs[7][1]}{end}{others}\n")
    train, dev, _ = clean(tmp_path, pairs, exclude=[tmp_path / "exclude.txt"], check_alignment=False)
    assert pairs[7] not in [*train, *dev]


@pytest.mark.parametrize(
    ("name", "text"), [("a.jsonl", '{"text": "whole"}\n{"text": "cut'), ("a.csv", 'id,text\n1,"whole\n2,cut\n')]
)
def test_a_damaged_file_of_test_texts_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=rf"\[{tmp_path / name}\]"):
        clean(tmp_path, many(60), exclude=[tmp_path / name])
