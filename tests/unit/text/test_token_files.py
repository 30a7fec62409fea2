"""Token files give back what went in, from the disk; batches are a pure function, waste little and miss nothing."""

import mmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.errors import DataError
from optical.text.token_files import TokenFile, write_token_file
from optical.text.tokeniser import SPECIAL_TOKENS, load_tokeniser, save_tokeniser, tokenise, train_tokeniser
from optical.training.batches import EpochBatches
from support.tiny_models import TEXTS

FEW = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small tokeniser."""
    folder = tmp_path_factory.mktemp("tokeniser")
    save_tokeniser(train_tokeniser(TEXTS * 4, vocabulary_size=300), folder, longest=32)
    return folder


LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=120).map(np.array)


@FEW
@given(lengths=LENGTHS, batch_size=st.integers(1, 20), seed=st.integers(0, 3), epoch=st.integers(0, 2))
def test_every_text_comes_at_most_once_an_epoch_and_few_are_left_out(lengths, batch_size, seed, epoch):
    size = min(batch_size, len(lengths))
    per_epoch = len(lengths) // size
    batches = [EpochBatches(lengths, batch_size, seed)[epoch * per_epoch + step] for step in range(per_epoch)]
    seen = np.concatenate(batches)
    assert {len(batch) for batch in batches} == {size}
    assert len(set(seen.tolist())) == len(seen) == len(lengths) - len(lengths) % size


@FEW
@given(lengths=LENGTHS, batch_size=st.integers(1, 20), step=st.integers(0, 500), seed=st.integers(0, 9))
def test_a_batch_depends_on_nothing_but_its_arguments(lengths, batch_size, step, seed):
    before = lengths.copy()
    batches = EpochBatches(lengths, batch_size, seed)
    first = batches[step].copy()
    np.random.default_rng().random(7)
    assert not np.shares_memory(first, batches[step + 100])
    assert np.array_equal(first, batches[step])
    assert np.array_equal(first, EpochBatches(lengths, batch_size, seed)[step])
    assert np.array_equal(lengths, before)


def test_epochs_and_seeds_differ_and_batches_are_of_similar_length():
    lengths = np.random.default_rng(0).integers(1, 60, size=3200)
    drawn = [EpochBatches(lengths, 32, seed) for seed in (1, 2)]
    steps = [[tuple(batches[step].tolist()) for step in range(200)] for batches in drawn]
    assert not set(steps[0][:100]) & set(steps[0][100:])
    assert not set(steps[0]) & set(steps[1])
    spread = np.mean([np.ptp(lengths[list(batch)]) for batch in steps[0]])
    assert spread < 8  # without sorting it is about 56
    means = [lengths[list(batch)].mean() for batch in steps[0][:100]]
    assert abs(np.corrcoef(means, np.arange(100))[0, 1]) < 0.3  # short batches do not come first


TEXT_LISTS = st.lists(st.lists(st.sampled_from(" ".join(TEXTS).split() + ["☃"]), max_size=9).map(" ".join), max_size=12)


@FEW
@given(texts=TEXT_LISTS)
def test_a_token_file_holds_what_the_tokeniser_says(folder, tmp_path_factory, texts):
    out = tmp_path_factory.mktemp("tokens") / "file"
    assert write_token_file(out, folder, iter(texts)) == len(texts)
    file = TokenFile(out)
    tokeniser = load_tokeniser(folder)
    expected = [tokeniser.encode(text, add_special_tokens=False).ids for text in texts]
    assert [ids.tolist() for ids in file] == expected
    assert file.lengths.tolist() == [len(ids) for ids in expected]
    assert file.meta == {"texts": len(texts), "tokens": sum(map(len, expected))}


def test_writing_keeps_a_chunk_of_texts_at_a_time(folder, tmp_path):
    class Text(str):
        alive = most = 0

        def __init__(self, _):
            Text.alive += 1
            Text.most = max(Text.most, Text.alive)

        def __del__(self):
            Text.alive -= 1

    assert write_token_file(tmp_path / "file", folder, (Text("the moon") for _ in range(20_000))) == 20_000
    assert Text.most <= 4096 + 1


def test_reading_maps_the_file(folder, tmp_path):
    write_token_file(tmp_path / "file", folder, TEXTS)
    file = TokenFile(tmp_path / "file")
    assert isinstance(file.tokens.base, (np.memmap, mmap.mmap))
    with pytest.raises(ValueError, match="read-only"):
        file[0][0] = 1


def test_a_truncated_file_is_refused(folder, tmp_path):
    write_token_file(tmp_path / "file", folder, TEXTS)
    tokens = tmp_path / "file" / "tokens.int32"
    tokens.write_bytes(tokens.read_bytes()[:-8])
    with pytest.raises(DataError, match="expected"):
        TokenFile(tmp_path / "file")


@pytest.mark.parametrize("opened", [TokenFile, load_tokeniser])
def test_a_missing_folder_is_named(tmp_path, opened):
    with pytest.raises(DataError, match="nowhere"):
        opened(tmp_path / "nowhere")


def test_rarity_counts_texts_not_tokens(folder, tmp_path):
    texts = ["moon moon moon", "sun moon", "sun", "☃"]
    write_token_file(tmp_path / "file", folder, texts)
    tokeniser = load_tokeniser(folder)
    rarity = TokenFile(tmp_path / "file").inverse_document_frequency(tokeniser.get_vocab_size())
    assert rarity.dtype == np.float32
    assert rarity.shape == (tokeniser.get_vocab_size(),)
    for token, texts_with_it in (("moon", 2), ("sun", 2), ("[UNK]", 1), ("river", 0)):
        assert rarity[tokeniser.token_to_id(token)] == pytest.approx(np.log(5 / (texts_with_it + 1)), abs=1e-6)
    framing = tokeniser.token_to_id("[CLS]")
    framed = TokenFile(tmp_path / "file").inverse_document_frequency(tokeniser.get_vocab_size(), [framing])
    assert rarity[framing] > 1 and framed[framing] == 0
    np.testing.assert_array_equal(np.delete(framed, framing), np.delete(rarity, framing))


def test_special_tokens_keep_their_places_and_never_come_from_text(folder):
    tokeniser = load_tokeniser(folder)
    assert [tokeniser.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(len(SPECIAL_TOKENS)))
    [ids] = tokenise(tokeniser, ["the moon"])
    assert min(ids) >= len(SPECIAL_TOKENS)


def test_marathi_vowels_survive(folder):
    [ids] = tokenise(load_tokeniser(folder), ["प्रश्न चंद्र"])
    assert load_tokeniser(folder).decode(ids).replace(" ", "") == "प्रश्नचंद्र"


def test_chunks_make_no_difference(folder):
    tokeniser = load_tokeniser(folder)
    texts = list(TEXTS) * 3
    assert list(tokenise(tokeniser, texts, chunk=2)) == list(tokenise(tokeniser, texts, chunk=1000))


def test_the_same_texts_give_the_same_tokeniser():
    dice = np.random.default_rng(0)
    words = ["".join(dice.choice(list("aeioukmnszवरणत्"), size=dice.integers(2, 9))) for _ in range(300)]
    texts = [" ".join(dice.choice(words, size=6)) for _ in range(300)]
    # the library seeds its hash tables anew in each training; many pairs are equally frequent here
    first, *others = (train_tokeniser(texts, 220).to_str() for _ in range(4))
    assert all(other == first for other in others)


def test_only_true_special_tokens_are_special(folder):
    tokeniser = load_tokeniser(folder)
    added = tokeniser.get_added_tokens_decoder().values()
    assert sorted(token.content for token in added) == sorted(SPECIAL_TOKENS)
    assert any(token.startswith("##") for token in tokeniser.get_vocab())
