"""Without its padding a batch gives what the transformers library makes of it, in every kind of model and attention."""

import copy

import pytest
import torch
import transformers
from torch.testing import assert_close

from optical.models.unpadding import UNPADDED, read_tokens, use_fastest_attention

LENGTHS = (7, 3, 1, 9)
PADDING = 1
# relative positions; positions that are turned into the vectors; those and windows, which padding may leave empty
OTHERS = ("mpnet", "roformer", "modernbert")


def new_transformer(kind, dropout=0.0):
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        kind,
        vocab_size=50,
        hidden_size=32,
        embedding_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=16,
        initializer_range=0.3,
        pad_token_id=PADDING,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    if kind == "modernbert":
        config.update({"local_attention": 4, "global_attn_every_n_layers": 2})
    if kind == "distilbert":
        config.update({"dim": 32, "hidden_dim": 64, "n_heads": 4, "n_layers": 2, "dropout": dropout})
        config.attention_dropout = dropout
    return transformers.AutoModel.from_config(config)


def new_batch():
    """Return token ids and which are real."""
    real_BL = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    ids_BL = torch.randint(2, 50, real_BL.shape, generator=torch.Generator().manual_seed(1))
    return torch.where(real_BL, ids_BL, PADDING), real_BL


def ours_and_theirs(kind):
    theirs = new_transformer(kind)
    ours = copy.deepcopy(theirs)
    use_fastest_attention(ours)
    return ours, theirs


def padded(transformer, ids_BL, attended_BL, **others):
    return transformer(input_ids=ids_BL, attention_mask=attended_BL.long(), **others).last_hidden_state


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("kind", [*UNPADDED, *OTHERS])
def test_hidden_states_and_gradients_are_those_of_the_padded_batch(kind, train):
    ours, theirs = (model.train(train) for model in ours_and_theirs(kind))
    ids_BL, real_BL = new_batch()
    with torch.set_grad_enabled(train):
        hidden_TH, layout = read_tokens(ours, ids_BL, real_BL.long(), real_BL)
        expected_BLH = padded(theirs, ids_BL, real_BL)
        assert_close(hidden_TH, expected_BLH[real_BL], atol=1e-4, rtol=1e-4)
        assert_close(layout.pad(hidden_TH), expected_BLH * real_BL[:, :, None], atol=1e-4, rtol=1e-4)
    if not train:
        return
    hidden_TH.square().sum().backward()
    expected_BLH[real_BL].square().sum().backward()
    gradients = [{name: weight.grad for name, weight in model.named_parameters()} for model in (ours, theirs)]
    for name, expected in gradients[1].items():
        assert (expected is None) == (gradients[0][name] is None), name
        if expected is not None:
            assert_close(gradients[0][name], expected, atol=1e-2, rtol=1e-3, msg=name)


@pytest.mark.parametrize("train", [False, True])
def test_heads_of_queries_may_share_one_of_keys(train):
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 50}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = transformers.AutoConfig.for_model("eurobert", pad_token_id=PADDING, **sizes, **heads)
    theirs = transformers.AutoModel.from_config(config).train(train)
    ours = copy.deepcopy(theirs)
    use_fastest_attention(ours)
    ids_BL, real_BL = new_batch()
    with torch.set_grad_enabled(train):
        hidden_TH, _ = read_tokens(ours, ids_BL, real_BL.long(), real_BL)
        assert_close(hidden_TH, padded(theirs, ids_BL, real_BL)[real_BL], atol=1e-4, rtol=1e-4)


def test_only_real_tokens_are_read():
    transformer, _ = ours_and_theirs("bert")
    ids_BL, real_BL = new_batch()
    seen = []
    transformer.encoder.layer[0].intermediate.register_forward_hook(lambda *given: seen.append(given[2].shape))
    read_tokens(transformer, ids_BL, real_BL, real_BL)
    assert [shape[:2] for shape in seen] == [(1, sum(LENGTHS))]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_attention_without_gradient_is_the_same_in_both_precisions(precision):
    ours, theirs = (model.eval().to(precision) for model in ours_and_theirs("bert"))
    ids_BL, real_BL = new_batch()
    with torch.no_grad():
        hidden_TH, _ = read_tokens(ours, ids_BL, real_BL, real_BL)
        error = (hidden_TH - padded(theirs, ids_BL, real_BL)[real_BL]).abs().max().item()
    assert error < (1e-4 if precision is torch.float32 else 0.1)


def test_a_transformer_with_another_attention_reads_the_padding_too():
    transformer = new_transformer("bert").eval()
    ids_BL, real_BL = new_batch()
    with torch.no_grad():
        hidden_TH, _ = read_tokens(transformer, ids_BL, real_BL, real_BL)
        assert torch.equal(hidden_TH, padded(transformer, ids_BL, real_BL)[real_BL])


def test_tokens_may_be_read_that_none_attends_to():
    """As ColBERT's [MASK] that fill up a query."""
    ours, theirs = (model.eval() for model in ours_and_theirs("bert"))
    ids_BL, attended_BL = new_batch()
    with torch.no_grad():
        hidden_TH, _ = read_tokens(ours, ids_BL, attended_BL, torch.ones_like(attended_BL))
        assert_close(hidden_TH, padded(theirs, ids_BL, attended_BL).flatten(0, 1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_positions_can_be_given(kind):
    ours, theirs = (model.eval() for model in ours_and_theirs(kind))
    ids_BL, real_BL = new_batch()
    positions_L = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 4]) + (0 if kind == "bert" else PADDING + 1)
    with torch.no_grad():
        hidden_TH, _ = read_tokens(ours, ids_BL, real_BL, real_BL, positions_L)
        expected_BLH = padded(theirs, ids_BL, real_BL, position_ids=positions_L[None])
        assert not torch.allclose(expected_BLH, padded(theirs, ids_BL, real_BL), atol=1e-2)
    assert_close(hidden_TH, expected_BLH[real_BL], atol=1e-4, rtol=1e-4)


def test_who_calls_the_transformer_as_the_library_does_gets_the_same():
    ours, theirs = (model.eval() for model in ours_and_theirs("bert"))
    ids_BL, real_BL = new_batch()
    with torch.no_grad():
        assert_close(padded(ours, ids_BL, real_BL), padded(theirs, ids_BL, real_BL), atol=1e-5, rtol=1e-4)
    assert_close(padded(ours, ids_BL, real_BL), padded(theirs, ids_BL, real_BL), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("train", [False, True])
def test_dropout_is_that_of_training_alone(train):
    transformer = new_transformer("bert", dropout=0.5).train(train)
    use_fastest_attention(transformer)
    ids_BL, real_BL = new_batch()
    first_TH, second_TH = (read_tokens(transformer, ids_BL, real_BL, real_BL)[0] for _ in range(2))
    assert torch.equal(first_TH, second_TH) != train


def test_the_saved_config_does_not_name_our_attention(tmp_path):
    transformer, _ = ours_and_theirs("bert")
    transformer.save_pretrained(tmp_path)
    assert "optical" not in (tmp_path / "config.json").read_text()


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_what_a_window_leaves_nothing_to_attend_to_is_the_same_with_and_without_a_gradient(precision):
    """As [MASK] far behind the text of an expanded query, which no token attends to."""
    ours, theirs = (model.eval() for model in ours_and_theirs("modernbert"))
    ids_BL, attended_BL = new_batch()
    everywhere_BL = torch.ones_like(attended_BL)
    ours = ours.to(precision)
    with torch.no_grad():
        without_TH, _ = read_tokens(ours, ids_BL, attended_BL, everywhere_BL)
        expected_TH = padded(theirs, ids_BL, attended_BL).flatten(0, 1)
    with_TH, _ = read_tokens(ours, ids_BL, attended_BL, everywhere_BL)
    for found_TH in (without_TH, with_TH.detach()):
        cosine_T = torch.nn.functional.cosine_similarity(found_TH.float(), expected_TH, dim=1)
        assert cosine_T.min() > (1 - 1e-5 if precision is torch.float32 else 0.99)
