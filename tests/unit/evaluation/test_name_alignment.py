"""The quality of an alignment is the mass between names that translate each other, whatever else the sentences hold."""

from argparse import Namespace

import numpy as np
import pytest
import torch

import measure_alignment
from optical.config.transport import TransportSettings
from optical.errors import DataError
from optical.evaluation.name_alignment import (
    CHANCE,
    MASS,
    MASS_TRANSLATED,
    MEASURES,
    Link,
    LinkedPair,
    linked_pairs,
    pair_figures,
    plan_of,
    read_lexicon,
    read_linked_pairs,
)
from optical.evaluation.scores import read_scores
from optical.files import write_rows
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.plan.jobs import ALIGNED, ALIGNMENT_MEASURES
from optical.text.token_files import bitext_token_weights, write_token_file
from optical.text.tokeniser import load_tokeniser, save_tokeniser, train_tokeniser
from support.tiny_models import save_encoder

LEXICON = [("new moon", "mwezi mpya"), ("moon", "mwezi"), ("sun", "jua"), ("fiji", "fiji")]
TEXTS = ["the new moon and the sun, seen from fiji", "mwezi mpya na jua kutoka fiji", "moonlight", "mto wa mwezini"]
TRANSPORT = TransportSettings(regularisation=0.1, marginals="uniform")


@pytest.fixture(scope="module")
def tokeniser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokeniser")
    save_tokeniser(train_tokeniser(TEXTS * 4, vocabulary_size=150), folder, longest=24)
    return load_tokeniser(folder)


def names(tokeniser, pair):
    """Return the linked words of a pair as text."""
    shown = []
    for link in pair.links:
        sides = ((link.english, pair.english), (link.foreign, pair.foreign))
        shown.append(tuple(tokeniser.decode([ids[place] for place in places]) for places, ids in sides))
    return shown


def test_the_longest_name_takes_its_words_and_others_are_found_where_they_are_left(tokeniser, tmp_path):
    write_rows(tmp_path / "lexicon.tsv", LEXICON)
    lexicon = read_lexicon(tmp_path / "lexicon.tsv")
    assert lexicon[0] == LEXICON[0]
    pairs = [("The new moon, the moon.", "Mwezi mpya, mwezi."), ("The new moon", "mwezi mpya"), ("sun", "mwezi")]
    first, second = linked_pairs(tokeniser, pairs, lexicon)
    assert names(tokeniser, first) == [("new moon", "mwezi mpya"), ("moon", "mwezi")]
    assert names(tokeniser, second) == [("new moon", "mwezi mpya")]
    assert (first.number, second.number) == (1, 2)


def test_a_part_of_a_word_is_no_name(tokeniser):
    assert linked_pairs(tokeniser, [("moonlight", "mwezi"), ("moon", "mwezini")], LEXICON) == []


def test_a_name_counts_wherever_it_stands(tokeniser):
    [pair] = linked_pairs(tokeniser, [("sun and sun", "jua")], LEXICON)
    [link] = pair.links
    assert len(link.english) == 2 * len(tokeniser.encode("sun", add_special_tokens=False).ids)
    assert link.translated


def test_the_figures_of_a_plan_worked_out_by_hand():
    pair = LinkedPair(7, [1, 2, 3], [4, 5], [Link([0, 1], [1], translated=True), Link([2], [0], translated=False)])
    plan_BMN = np.array([[[0.1, 0.2], [0.0, 0.3], [0.4, 0.0]]])
    found = {measure: value for number, measure, value in pair_figures(plan_BMN, [pair]) if number == 7}
    assert found[MASS] == pytest.approx((0.5 / 0.6 + 1.0) / 2)
    assert found[MASS_TRANSLATED] == pytest.approx(0.5 / 0.6)
    assert found[CHANCE] == pytest.approx((0.5 + 0.5) / 2)


def test_a_name_beyond_the_cut_or_without_mass_does_not_count():
    cut = LinkedPair(1, [1], [2], [Link([5], [0], translated=True)])
    silent = LinkedPair(2, [1], [2], [Link([1], [0], translated=True)])
    assert list(pair_figures(np.array([[[1.0], [0.0]]] * 2), [cut, silent])) == []


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Return a folder with a model, tokenised and held-out pairs, and a lexicon."""
    folder = tmp_path_factory.mktemp("bench")
    save_encoder(folder / "model")
    pairs = [("the moon, and the sun", "mwezi na jua"), ("where is the river?", "mto uko wapi?"), ("the sun", "jua")]
    write_rows(folder / "dev.tsv", pairs)
    write_rows(folder / "lexicon.tsv", [("moon", "mwezi"), ("sun", "jua"), ("river", "mto")])
    for side, texts in zip(("english", "foreign"), zip(*pairs, strict=True), strict=True):
        write_token_file(folder / "tokens" / side, folder / "model", texts)
    return folder


@pytest.mark.parametrize("kind", [QUERY, DOCUMENT])
def test_a_plan_links_words_alone_and_padding_never_counts(bench, kind):
    encoder = load_encoder(bench / "model")
    pairs = read_linked_pairs(bench / "dev.tsv", bench / "lexicon.tsv", encoder.tokeniser)
    weights = bitext_token_weights(bench / "tokens", encoder.tokeniser.get_vocab_size())
    plan_BMN = plan_of((encoder, encoder), pairs, kind, TRANSPORT, weights)
    assert plan_BMN.sum((1, 2)) == pytest.approx(np.ones(3), abs=1e-3)
    for row, pair in enumerate(pairs):
        assert not plan_BMN[row, len(pair.foreign) :].any()
        assert not plan_BMN[row, :, len(pair.english) :].any()
        alone_BMN = plan_of((encoder, encoder), [pair], kind, TRANSPORT, weights)
        inside = plan_BMN[row, : alone_BMN.shape[1], : alone_BMN.shape[2]]
        assert np.allclose(inside, alone_BMN[0], atol=1e-3)


@pytest.mark.parametrize("how", [{"query_prompt": "the sun is "}, {"query_marker": ""}])
def test_words_are_found_behind_whatever_stands_before_them(bench, tmp_path, how):
    encoder = load_encoder(save_encoder(tmp_path / "model", **how))
    pairs = linked_pairs(encoder.tokeniser, [("the moon, and the sun",) * 2], [("moon", "moon"), ("sun", "sun")])
    weights = bitext_token_weights(bench / "tokens", encoder.tokeniser.get_vocab_size())
    plan_BMN = plan_of((encoder, encoder), pairs, QUERY, TRANSPORT.changed(solver="exact"), weights)
    length = len(pairs[0].english)
    assert plan_BMN[0, :length, :length].diagonal() == pytest.approx(np.full(length, 1 / length), abs=1e-5)


def test_the_same_sentences_are_aligned_with_themselves(bench):
    encoder = load_encoder(bench / "model")
    pairs = linked_pairs(encoder.tokeniser, [("the moon, and the sun",) * 2], [("moon", "moon"), ("sun", "sun")])
    weights = bitext_token_weights(bench / "tokens", encoder.tokeniser.get_vocab_size())
    plan_BMN = plan_of((encoder, encoder), pairs, QUERY, TRANSPORT.changed(solver="exact"), weights)
    assert {measure: value for _, measure, value in pair_figures(plan_BMN, pairs)}[MASS] == pytest.approx(1)


def test_the_program_writes_scores_of_every_model_and_measure(bench, tmp_path):
    encoder = {"dimension": 16, "query_length": 12, "document_length": 20}
    same = {"foreign": str(bench / "model"), "english": str(bench / "model"), "seed": "1"}
    jobs = [same | {"method": "encoder", "kind": "document"}, same | {"method": "teacher", "kind": "query"}]
    files = {"bitext": bench / "dev.tsv", "lexicon": bench / "lexicon.tsv", "tokens": bench / "tokens"}
    settings = {"transport": TRANSPORT.changed(marginals="idf").model_dump(), "encoder": encoder}
    machine = {"device": "cpu", "precision": "fp32", "threads": 1}
    threads = torch.get_num_threads()
    measure_alignment.main(
        Namespace(jobs=jobs, settings=settings, lang="sw", base=None, out=tmp_path / "sw.tsv", **files, **machine)
    )
    torch.set_num_threads(threads)
    rows = list(read_scores([tmp_path / "sw.tsv"]))
    assert {row[0] for row in rows} == {measure_alignment.COLLECTION}
    assert {row[1] for row in rows} == {"encoder", "teacher"}
    assert {row[5] for row in rows} == set(MEASURES)
    assert all(0 <= row[6] <= 1 for row in rows)


def test_the_plan_names_what_the_program_writes():
    assert ALIGNED == measure_alignment.COLLECTION
    assert ALIGNMENT_MEASURES == MEASURES


def test_pairs_without_a_name_are_refused_with_a_hint(bench, tmp_path):
    write_rows(tmp_path / "lexicon.tsv", [("north", "kaskazini")])
    with pytest.raises(DataError, match="no sentence pair with a name .* Hint: hold out more pairs"):
        read_linked_pairs(bench / "dev.tsv", tmp_path / "lexicon.tsv", load_tokeniser(bench / "model"))
