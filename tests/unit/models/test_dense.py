"""The encoder as its authors use it: one vector for a text, the same as sentence-transformers computes."""

import shutil
import time

import pytest
import torch

from optical import Retriever
from optical.config.encoder import Dense
from optical.errors import ConfigError, ResourceError
from optical.files import write_json
from optical.models.dense import DenseEncoder, own_dense_settings
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.export import export
from optical.models.folders import load_encoder, load_transformer
from optical.runtime.provenance import write_provenance
from optical.text.tokeniser import tokenise
from optical.training.divergence import check_vectors
from support.tiny_models import save_xlmr

TEXTS = ["the moon", "a river in the north is a river", "sun"]
PROMPTS = {QUERY: "ask ", DOCUMENT: "tell "}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a pooled XLM-R with prompts."""
    bare = save_xlmr(tmp_path_factory.mktemp("models") / "bare")
    given = Dense(query_prompt=PROMPTS[QUERY], document_prompt=PROMPTS[DOCUMENT])
    encoder = DenseEncoder(load_transformer(bare), bare, own_dense_settings(bare, given))
    encoder.save(bare.parent / "dense")
    return bare.parent / "dense"


def vectors_of(encoder, texts, kind):
    """Return the vectors of each text, in their order."""
    found = {index: vectors for index, vectors, _ in encoder.encode(list(tokenise(encoder.tokeniser, texts)), kind)}
    return [found[index] for index in range(len(texts))]


@pytest.mark.parametrize("kind", [QUERY, DOCUMENT])
def test_vectors_are_those_of_sentence_transformers(folder, kind):
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, prompt_name=kind)
    ours = vectors_of(load_encoder(folder), TEXTS, kind)
    assert [len(vectors) for vectors in ours] == [1, 1, 1]
    assert torch.allclose(torch.cat(ours), torch.from_numpy(theirs), atol=1e-5)


def test_a_prompt_changes_the_vector_and_padding_does_not(folder):
    encoder = load_encoder(folder)
    assert not torch.allclose(*(vectors_of(encoder, TEXTS[:1], kind)[0] for kind in (QUERY, DOCUMENT)), atol=1e-3)
    together, alone = vectors_of(encoder, TEXTS, QUERY)[0], vectors_of(encoder, TEXTS[:1], QUERY)[0]
    assert torch.allclose(together, alone, atol=1e-6)


def test_objectives_meet_the_one_vector_whatever_is_asked_of_special_tokens(folder):
    encoder = load_encoder(folder)
    ids_BL, attention_BL, keep_BL = encoder.frame(list(tokenise(encoder.tokeniser, TEXTS)), QUERY)
    assert keep_BL.sum(1).tolist() == [1, 1, 1]
    assert torch.equal(keep_BL, encoder.content_mask(ids_BL, attention_BL, QUERY))
    vectors_BLH = encoder(ids_BL, attention_BL)
    assert torch.allclose(vectors_BLH[:, 0].norm(dim=-1), torch.ones(3)) and not vectors_BLH[:, 1:].any()
    vectors_BLH[:, 0, 0].sum().backward()
    assert encoder.transformer.get_input_embeddings().weight.grad.any()


def test_prompts_that_are_not_given_are_those_of_the_encoder_s_files(tmp_path):
    bare = save_xlmr(tmp_path)
    write_json(bare / "config_sentence_transformers.json", {"prompts": {"query": "query: ", "passage": "passage: "}})
    settings = own_dense_settings(bare, Dense(document_prompt=""))
    assert (settings.query_prompt, settings.document_prompt, settings.document_length) == ("query: ", "", 60)


def test_vectors_of_texts_that_are_all_alike_are_refused(folder):
    encoder = load_encoder(folder)
    texts = list(tokenise(encoder.tokeniser, TEXTS))
    check_vectors(encoder, texts, QUERY, "student")
    with pytest.raises(ResourceError, match="alike"):
        check_vectors(encoder, texts[:1] * 3, QUERY, "student")


def test_it_is_not_exported_as_a_late_interaction_model(folder, tmp_path):
    encoder = load_encoder(folder)
    with pytest.raises(ConfigError, match="cannot be exported as a late-interaction model .*sentence-transformers"):
        export(encoder, encoder, tmp_path / "exported", "pylate", "", {})


def test_a_student_searches_passages_that_the_encoder_has_read_and_marks_no_word(folder, tmp_path):
    results = tmp_path / "results"
    student = results / "students/sw/dense+mse/1"
    for place in (results / "dense", student):
        shutil.copytree(folder, place)
    write_provenance(student, {"sides": ["query"]}, {"teacher": results / "dense"}, time.monotonic())
    retriever = Retriever.load(student)
    retriever.index([{"id": f"d{number}", "text": text} for number, text in enumerate(TEXTS)], tmp_path / "index")
    assert retriever.reader == results / "dense"
    assert [hit.matches for hit in retriever.search("the moon", top=2)] == [[], []]
