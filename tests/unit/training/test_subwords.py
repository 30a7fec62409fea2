"""A large vocabulary is trained by the rows in use alone, with the same outcome, and a student stores what changed."""

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from optical.config.encoder import EncoderSettings
from optical.config.training import TrainingSettings
from optical.models.changes import FILE
from optical.models.encoder import QUERY, Encoder
from optical.models.folders import load_encoder
from optical.runtime.machine import Machine
from optical.text.tokeniser import tokenise
from optical.training import subwords
from optical.training.checkpoints import Checkpoints
from optical.training.loop import train
from support.tiny_models import TEXTS, save_encoder

SETTINGS = TrainingSettings(steps=40, batch_size=2, learning_rate=3e-3, weight_decay=0.0, dropout=0.0)
SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
KINDS = {
    "bert": SIZES,
    "xlm-roberta": SIZES,
    "modernbert": SIZES | {"global_attn_every_n_layers": 1},
    "electra": SIZES | {"embedding_size": 16},
    "albert": SIZES | {"embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 64},
}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(autouse=True)
def every_vocabulary_is_large(monkeypatch):
    monkeypatch.setattr(subwords, "LARGE", 10)


def encoder_of(kind, teacher):
    """Return an encoder with a transformer of this kind, random weights, and the teacher's tokeniser."""
    torch.manual_seed(0)
    ids = {"vocab_size": 300, "pad_token_id": 0, "max_position_embeddings": 64}
    transformer = AutoModel.from_config(CONFIG_MAPPING[kind](**ids, **KINDS[kind]))
    return Encoder(transformer, teacher, EncoderSettings(dimension=16, query_length=12, document_length=20))


def pieces(encoder, texts=TEXTS[2:4]):
    return [np.array(ids, dtype=np.int32) for ids in tokenise(encoder.tokeniser, texts)]


def table_of(encoder):
    return encoder.transformer.get_input_embeddings().weight.detach()


def trained(encoder, base=None, settings=SETTINGS, stop_at=None, checkpoints=None):
    """Train an encoder on two texts, and return what saves it."""
    texts = pieces(encoder)
    save = subwords.saving(encoder, texts, base)

    def loss(step):
        if step == stop_at:
            raise KeyboardInterrupt
        torch.manual_seed(step)
        ids_BL, attention_BL, _ = encoder.frame(texts, QUERY)
        vectors_BLD = encoder(ids_BL, attention_BL)
        return (vectors_BLD - torch.randn_like(vectors_BLD)).square().mean(), {}

    train(encoder, loss, settings, Machine(device="cpu", checkpoint_steps=5), checkpoints, "test")
    return save


@pytest.mark.parametrize("kind", KINDS)
def test_training_the_rows_in_use_is_training_the_whole_table(kind, teacher, tmp_path, monkeypatch):
    sparse = encoder_of(kind, teacher)
    dense, start = copy.deepcopy(sparse), table_of(sparse).clone()
    save = trained(sparse)
    assert len(table_of(sparse)) < 60 < len(start)
    save(tmp_path)
    monkeypatch.setattr(subwords, "LARGE", 1000)
    trained(dense)
    moved = (table_of(dense) - start).abs().amax(1) > 1e-3
    assert 10 < moved.sum() < 60
    for name, weight in dense.state_dict().items():
        torch.testing.assert_close(sparse.state_dict()[name], weight, atol=1e-5, rtol=0)
    ids_BL, attention_BL, _ = sparse.frame(pieces(sparse, TEXTS), QUERY)  # other words than in training
    torch.testing.assert_close(sparse(ids_BL, attention_BL), dense(ids_BL, attention_BL), atol=1e-4, rtol=0)


def test_rows_that_are_not_in_use_keep_their_weights_whatever_the_decay(teacher, tmp_path):
    encoder = load_encoder(teacher)
    start = table_of(encoder).clone()
    save = trained(encoder, settings=SETTINGS.changed(weight_decay=10.0))
    save(tmp_path)
    used = np.unique(np.concatenate([*pieces(encoder), encoder.special_ids]))
    changed = (table_of(encoder) != start).any(1).numpy()
    assert set(np.flatnonzero(changed)) <= set(used)
    assert changed[encoder.marker_ids[QUERY]] and changed[pieces(encoder)[0]].all()


def test_a_student_stores_what_changed_and_loads_as_a_whole(teacher, tmp_path):
    student = load_encoder(teacher)
    save = trained(student, base=teacher)
    (tmp_path / "student").mkdir()
    save(tmp_path / "student")
    stored = load_file(tmp_path / "student" / FILE)
    assert max(len(weight) for weight in stored.values()) < len(table_of(student))
    assert not list((tmp_path / "student").glob("*model.safetensors"))
    again = load_encoder(tmp_path / "student").eval()
    assert again.tokeniser.to_str() == student.tokeniser.to_str() and again.settings == student.settings
    assert again.state_dict().keys() == student.state_dict().keys()
    assert all(torch.equal(again.state_dict()[name], weight) for name, weight in student.state_dict().items())
    # a student of the student: its base has a base
    grandchild = load_encoder(tmp_path / "student")
    (tmp_path / "grandchild").mkdir()
    trained(grandchild, base=tmp_path / "student")(tmp_path / "grandchild")
    assert torch.equal(table_of(load_encoder(tmp_path / "grandchild")), table_of(grandchild))


def test_a_checkpoint_holds_the_rows_in_use_and_training_goes_on_from_it(teacher, tmp_path):
    whole, interrupted = load_encoder(teacher), load_encoder(teacher)
    trained(whole)
    with pytest.raises(KeyboardInterrupt):
        trained(interrupted, stop_at=17, checkpoints=Checkpoints(tmp_path, "key"))
    state = Checkpoints(tmp_path, "key").load()
    assert state["step"] == 15
    [rows] = [weight for name, weight in state["model"].items() if "word_embeddings" in name]
    assert len(rows) == len(table_of(whole)) < 60
    again = load_encoder(teacher)
    trained(again, checkpoints=Checkpoints(tmp_path, "key"))
    assert all(torch.equal(again.state_dict()[name], weight) for name, weight in whole.state_dict().items())


def test_a_small_vocabulary_and_a_table_that_two_parts_share_stay_whole(teacher, monkeypatch):
    encoder = load_encoder(teacher)
    rows = len(table_of(encoder))
    encoder.head = torch.nn.Linear(32, rows, bias=False)
    encoder.head.weight = encoder.transformer.get_input_embeddings().weight
    assert subwords.saving(encoder, pieces(encoder)) == encoder.save and len(table_of(encoder)) == rows
    del encoder.head
    monkeypatch.setattr(subwords, "LARGE", rows)
    assert subwords.saving(encoder, pieces(encoder)) == encoder.save and len(table_of(encoder)) == rows
    monkeypatch.setattr(subwords, "LARGE", rows - 1)
    assert subwords.saving(encoder, pieces(encoder)) != encoder.save and len(table_of(encoder)) < rows
