"""The translator: its start, its training, its programs, and that a large vocabulary changes nothing."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from optical.config.training import TranslatorSettings
from optical.errors import ConfigError, DataError
from optical.files import read_json, read_rows, write_rows
from optical.runtime.machine import Machine
from optical.text.token_files import write_token_file
from optical.text.tokeniser import load_tokeniser, save_tokeniser, train_tokeniser
from optical.training.checkpoints import Checkpoints
from optical.training.loop import train
from optical.translation.learning import AlignedBitext, TranslationLoss
from optical.translation.model import (
    keep_to,
    new_translator,
    saving,
    start_words_as_translations,
)
from optical.translation.scores import score_translations
from optical.translation.translate import Translator
from support.grammar import DOES, LIKE, WHAT, WHO, sentences
from support.programs import ROOT, Run, server
from support.tiny_models import save_encoder, save_xlmr

SETTINGS = TranslatorSettings(
    steps=6, batch_size=8, learning_rate=5e-3, layers=1, hidden_size=48, heads=2, intermediate_size=96
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with tokeniser, tokens of 150 pairs, and a translator trained on them for some seconds."""
    folder = tmp_path_factory.mktemp("translation")
    pairs = sentences()[:150]
    (folder / "tokeniser").mkdir()
    tokeniser = train_tokeniser([text for pair in pairs for text in pair] * 2, vocabulary_size=300)
    save_tokeniser(tokeniser, folder / "tokeniser", longest=40)
    for column, side in enumerate(("english", "foreign")):
        write_token_file(folder / "tokens" / side, folder / "tokeniser", [pair[column] for pair in pairs])
    bitext = AlignedBitext(folder / "tokens")
    settings = SETTINGS.changed(steps=120, batch_size=16)
    model = new_translator(settings, folder / "tokeniser", None)
    train(model, TranslationLoss(model, bitext, settings), settings, Machine(), None, "translator")
    (folder / "model").mkdir()
    saving(model, folder / "tokeniser", bitext.ids_read())(folder / "model")
    return folder


def loss_of(folder, **changes):
    settings = SETTINGS.changed(**changes)
    model = new_translator(settings, folder / "tokeniser", None)
    return model, TranslationLoss(model, AlignedBitext(folder / "tokens"), settings), settings


def test_some_pairs_suffice_to_translate_sentences_never_seen(made):
    held_out = sentences()[150:190]
    translations = Translator(made / "model").translate([foreign for _, foreign in held_out])
    score = score_translations([english for english, _ in held_out], translations)
    assert score.bleu > 60 and score.chrf > 70, list(zip(held_out, translations, strict=True))[:5]


def test_a_translator_reads_and_writes_the_subwords_of_xlm_roberta(tmp_path):
    """Its tokeniser has other names for the special tokens, and marks words by their beginnings."""
    folder = save_xlmr(tmp_path / "encoder")
    pairs = [("a cab", "bac a"), ("a bad cab", "bac dab a")] * 10
    for column, side in enumerate(("english", "foreign")):
        write_token_file(tmp_path / "tokens" / side, folder, [pair[column] for pair in pairs])
    bitext = AlignedBitext(tmp_path / "tokens")
    settings = SETTINGS.changed(steps=60)
    model = new_translator(settings, folder, None)
    train(model, TranslationLoss(model, bitext, settings), settings, Machine(), None, "translator")
    (tmp_path / "model").mkdir()
    saving(model, folder, bitext.ids_read())(tmp_path / "model")
    translator = Translator(tmp_path / "model")
    special = {"<s>", "</s>", "<pad>", "<unk>", "<mask>"}
    assert set(translator.tokeniser.special_tokens_map.values()) == special
    assert translator.tokeniser("bac")["input_ids"] == load_tokeniser(folder).encode("bac").ids
    (translation,) = translator.translate(["bac dab a"])
    assert set(translation) <= set("abcd ") and "a" in translation


def test_a_large_vocabulary_is_trained_as_a_small_one(made, monkeypatch):
    """Only rows in use are trained, and the whole table is saved."""
    tables = []
    for large in (10**6, 10):
        monkeypatch.setattr("optical.translation.model.LARGE", large)
        model, loss, settings = loss_of(made, weight_decay=0.0, steps=20)
        unread = np.setdiff1d(np.arange(model.config.vocab_size), np.concatenate(loss.bitext.ids_read()))
        before = model.model.shared.weight.detach().clone()
        save = saving(model, made / "tokeniser", loss.bitext.ids_read())
        assert model.model.decoder.embed_tokens.num_embeddings < len(before) or large > len(before)
        train(model, loss, settings, Machine(), None, "translator")
        folder = made / f"large-{large}"
        folder.mkdir()
        save(folder)
        after = Translator(folder).model.model.shared.weight
        assert torch.equal(after[unread[10:]], before[unread[10:]]) and not torch.equal(after, before)
        tables.append(after)
    assert torch.allclose(*tables, atol=1e-5)


@pytest.mark.parametrize("beams", [1, 4])
def test_a_large_vocabulary_is_searched_without_the_subwords_that_are_no_english(made, monkeypatch, beams):
    texts = [foreign for _, foreign in sentences()[150:170]]
    whole = Translator(made / "model")
    monkeypatch.setattr("optical.translation.model.LARGE", 10)
    part = Translator(made / "model")
    written = read_json(made / "model/config.json")["subwords_written"]
    assert whole.written_E is None and len(part.written_E) == written + 2, "and those before and behind a text"
    assert part.model.get_output_embeddings().weight.shape[0] < whole.model.get_output_embeddings().weight.shape[0]
    assert part.translate(texts, beams) == whole.translate(texts, beams)


def test_short_texts_are_searched_in_batches_that_fit_into_memory(made, monkeypatch):
    texts = [foreign for _, foreign in sentences()[150:170]]
    translator = Translator(made / "model")
    rows = translator.model.get_output_embeddings().weight.shape[0]
    sizes, generate = [], translator.model.generate

    def watched(**arguments):
        sizes.append(len(arguments["input_ids"]))
        return generate(**arguments)

    monkeypatch.setattr(translator.model, "generate", watched)
    expected = translator.translate(texts)
    monkeypatch.setattr("optical.translation.translate.BATCH_SCORES", 3 * rows)
    assert translator.translate(texts) == expected
    assert sizes[0] == len(texts) and max(sizes[1:]) == 3


def test_order_and_empty_texts_survive_batches_by_length(made):
    translator = Translator(made / "model")
    texts = ["mfalme aona jiwe nyekundu", "", "mto", " ", "malkia apenda mwezi dogo na mkate zamani"]
    translations = translator.translate(texts)
    assert [bool(text) for text in translations] == [True, False, True, False, True]
    assert translator.translate(texts, batch_tokens=1) == translations, "one text at a time"
    assert translator.translate(texts[::-1])[::-1] == translations
    assert translator.translate([]) == []


def test_a_text_stays_untranslated_where_the_search_finds_no_word(made, caplog):
    translator = Translator(made / "model")
    translator.model.final_logits_bias[:, translator.model.config.eos_token_id] = 1e6
    assert translator.translate(["Mfalme 1960", ""]) == ["Mfalme 1960", ""]
    assert "1 of 1 texts stay untranslated" in caplog.text


def test_only_english_pieces_are_ever_written(made):
    model, _, _ = loss_of(made)
    model.generation_config.update(no_repeat_ngram_size=0, repetition_penalty=1.0)
    tokeniser = load_tokeniser(made / "tokeniser")
    foreign = torch.tensor([tokeniser.encode("mfalme aona jiwe nyekundu").ids])
    written = set(model.generate(input_ids=foreign, num_beams=1, min_new_tokens=20, max_new_tokens=20)[0].tolist())
    english = {piece for text, _ in sentences()[:150] for piece in tokeniser.encode(text).ids}
    assert written <= english | {tokeniser.token_to_id("[CLS]"), tokeniser.token_to_id("[SEP]")}


def test_encoder_starts_as_the_bert_that_it_is_given(tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    model = new_translator(SETTINGS, folder, folder).eval()
    from optical.models.folders import load_transformer

    ids_BL = torch.tensor([[2, 9, 10, 11, 3], [2, 12, 3, 0, 0]])
    attention_BL = (ids_BL != 0).long()
    bert = load_transformer(folder).eval()
    expected = bert(input_ids=ids_BL, attention_mask=attention_BL).last_hidden_state[attention_BL.bool()]
    states_TH = model.model.encoder(input_ids=ids_BL, attention_mask=attention_BL).last_hidden_state[
        attention_BL.bool()
    ]
    assert torch.allclose(states_TH, expected, atol=1e-4)
    first = model.model.decoder.layers[0].self_attn.q_proj.weight
    assert torch.equal(first, bert.encoder.layer[0].attention.self.query.weight), "the decoder too"


def test_only_a_bert_can_be_taken_over(tmp_path):
    from transformers import DistilBertConfig, DistilBertModel

    folder = save_encoder(tmp_path / "encoder")
    DistilBertModel(DistilBertConfig(vocab_size=300, dim=16, n_heads=2, n_layers=1, hidden_dim=16)).save_pretrained(
        tmp_path / "other"
    )
    with pytest.raises(ConfigError, match="cannot start from a distilbert"):
        new_translator(SETTINGS, folder, tmp_path / "other")


def test_foreign_pieces_start_as_the_weighted_mean_of_their_translations(made):
    model = new_translator(SETTINGS, made / "tokeniser", None)
    before = model.model.shared.weight.detach().clone()
    start_words_as_translations(model, {20: {30: 0.75, 31: 0.25}, 30: {31: 1.0}}, english=[30, 31])
    after = model.model.shared.weight.detach()
    assert torch.allclose(after[20], 0.9 * before[30] + 0.1 * before[31], atol=1e-6)
    untouched = torch.arange(len(before)) != 20
    assert torch.equal(after[untouched], before[untouched]), "a piece that English has too keeps its vector"
    keep_to(model, torch.tensor([30, 31]))
    assert (model.final_logits_bias == 0).nonzero()[:, 1].tolist() == [30, 31]


def test_phrases_are_linked_to_each_other_and_to_nothing_else(made):
    bitext = AlignedBitext(made / "tokens")
    tokeniser = load_tokeniser(made / "tokeniser")
    meaning = WHO | DOES | WHAT | LIKE
    generator = np.random.default_rng(0)
    words = matches = 0
    for _ in range(300):
        phrase = bitext.phrase(generator)
        assert phrase.links_TS.shape == (len(phrase.target), len(phrase.source))
        assert phrase.links_TS.any(), "nothing is linked"
        english = [word for word in tokeniser.decode(phrase.target.tolist()).split() if word in meaning]
        foreign = tokeniser.decode(phrase.source.tolist()).split()
        words += len(english)
        matches += sum(meaning[word] in foreign for word in english)
    assert matches / words > 0.9, f"{matches} of {words} words have their translation in the phrase"


def test_examples_in_a_row_keep_their_links_apart(made):
    bitext = AlignedBitext(made / "tokens")
    for seed in range(20):
        example = bitext.phrases(9, np.random.default_rng(seed))
        assert len(example.source) >= 9
        parts, generator = [], np.random.default_rng(seed)
        while sum(len(part.source) for part in parts) < 9:
            parts.append(bitext.phrase(generator))
        assert example.links_TS.shape == (len(example.target), len(example.source))
        assert example.links_TS.sum() == pytest.approx(sum(part.links_TS.sum() for part in parts))
        assert example.target.tolist() == [piece for part in parts for piece in part.target]
        first = parts[0].links_TS
        assert np.array_equal(example.links_TS[: first.shape[0], : first.shape[1]], first)


def test_guidance_is_the_cross_entropy_of_links_under_the_attention(made):
    _, loss, _ = loss_of(made)
    example = loss.bitext.copied(0)
    sources = len(example.source)
    attention = torch.full((1, 1, sources + 1, sources + 2), 1e-9)
    attention[0, 0, range(sources), range(1, sources + 1)] = 1.0
    assert loss._guidance(attention, [example]).item() == pytest.approx(0.0, abs=1e-5), "source k is at position k + 1"
    uniform = torch.full((1, 2, sources + 1, sources + 2), 1 / (sources + 2))
    assert loss._guidance(uniform, [example]).item() == pytest.approx(np.log(sources + 2), rel=1e-5)


def test_loss_is_a_function_of_the_step_and_sentences_are_cut(made):
    model, loss, _ = loss_of(made, longest=6)
    model.eval()
    losses = [loss(step)[0].item() for step in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]
    assert loss._framed([np.arange(7, 30)]).shape == (1, 6)


def test_a_resumed_training_ends_with_the_same_weights(made, tmp_path):
    weights = []
    for halt in (None, 3):
        model, loss, training = loss_of(made, dropout=0.1)
        checkpoints = Checkpoints(tmp_path / str(halt), "key")
        if halt:

            def failing(step, loss=loss, halt=halt):
                if step == halt:
                    raise KeyboardInterrupt
                return loss(step)

            with pytest.raises(KeyboardInterrupt):
                train(model, failing, training, Machine(checkpoint_steps=1), checkpoints, "killed")
            model, loss, training = loss_of(made, dropout=0.1)
        train(model, loss, training, Machine(), checkpoints, "translator")
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_an_empty_bitext_is_refused(made, tmp_path):
    for side in ("english", "foreign"):
        write_token_file(tmp_path / side, made / "tokeniser", [])
    with pytest.raises(DataError, match="the bitext is empty"):
        AlignedBitext(tmp_path)


def test_programs_from_bitext_to_scores(made, tmp_path):
    context = server()
    pairs = sentences()
    write_rows(tmp_path / "dev.tsv", pairs[150:156])
    write_rows(tmp_path / "queries.tsv", [("q1", "mfalme aona jiwe"), ("q2", "mto")])
    settings = "{steps: 4, batch_size: 8, layers: 1, hidden_size: 16, heads: 2, intermediate_size: 16, seed: 3}"
    assert (
        Run(
            context,
            "train_translator",
            tmp_path / "train.log",
            tokens=made / "tokens",
            tokeniser=made / "tokeniser",
            settings=settings,
            checkpoints=tmp_path / "checkpoints",
            out=tmp_path / "model",
        ).wait()
        == 0
    )
    provenance = read_json(tmp_path / "model" / "provenance.json")
    assert provenance["settings"]["steps"] == 4 and set(provenance["inputs"]) == {"tokens", "tokeniser"}
    assert len(list(read_rows(tmp_path / "model" / "curve.tsv", 2))) == 5
    assert not list((tmp_path / "checkpoints").glob("*/*"))
    assert (
        Run(
            context,
            "translate_queries",
            tmp_path / "translate.log",
            model=tmp_path / "model",
            queries=[tmp_path / "queries.tsv", tmp_path / "dev.tsv"],
            out=[tmp_path / "queries.en.tsv", tmp_path / "dev.en.tsv"],
        ).wait()
        == 0
    )
    assert [row[0] for row in read_rows(tmp_path / "queries.en.tsv", 2)] == ["q1", "q2"]
    assert [row[0] for row in read_rows(tmp_path / "dev.en.tsv", 2)] == [english for english, _ in pairs[150:156]]
    jobs = json.dumps([{"translations": str(tmp_path / "dev.en.tsv"), "lang": "sw", "method": "nmt"}])
    command = [sys.executable, ROOT / "workflow/scripts/score_translations.py", "--out", tmp_path / "scores.tsv"]
    done = subprocess.run([*map(str, command), "--jobs", jobs], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [row[:2] for row in read_rows(tmp_path / "scores.tsv", 7)] == [["lang", "method"], ["sw", "nmt"]]


def test_each_table_needs_an_output_of_its_own(made, tmp_path):
    write_rows(tmp_path / "queries.tsv", [("q1", "mto")])
    queries, out = [tmp_path / "queries.tsv"] * 2, tmp_path / "out.tsv"
    run = Run(server(), "translate_queries", tmp_path / "log", model=made / "model", queries=queries, out=out)
    assert run.wait() == 1
    assert "2 tables and 1 outputs" in run.output.read_text() and not out.exists()
