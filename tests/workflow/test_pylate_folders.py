"""Models in PyLate's layout, of every architecture and with every setting, give the vectors of PyLate itself."""

from pathlib import Path

import pytest
import torch

from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.foreign_models import ARCHITECTURES, TEXTS, change, save_pylate
from support.peers import run_in, with_peer

SETTINGS = {
    "expanded": {"do_query_expansion": True},
    "windowed": {"do_query_expansion": True},
    "attended": {"do_query_expansion": True, "attend_to_expansion_tokens": True},
    "skipping": {"skiplist_words": ["the", ",", "is"]},
    "skipping unknown words": {"skiplist_words": ["☃"]},
    "skipping nothing": {"skiplist_words": []},
    "prompted": {"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": "query"},
    "unmarked": {"query_prefix": "", "document_prefix": ""},
    "null": dict.fromkeys(["query_prefix", "document_prefix", "query_length", "document_length", "skiplist_words"]),
    "missing": dict.fromkeys(["query_prefix", "query_length", "do_query_expansion", "default_prompt_name"], ...),
    "lower": {},
}


@pytest.mark.workflow
def test_pylate_gives_the_same_vectors(tmp_path):
    folders = [save_pylate(tmp_path / architecture, architecture) for architecture in ARCHITECTURES]
    for name, settings in SETTINGS.items():
        folder = save_pylate(tmp_path / name, "modernbert" if name == "windowed" else "bert")
        change(folder / "config_sentence_transformers.json", **settings)
        folders.append(folder)
    change(tmp_path / "lower/sentence_bert_config.json", do_lower_case=True)
    theirs = run_in(with_peer("pylate"), Path(__file__).with_name("encode_in_pylate.py"), folders, TEXTS)
    for folder in folders:
        encoder = load_encoder(folder)
        for side, vectors in theirs[str(folder)].items():
            encoded = sorted(encoder.encode(list(tokenise(encoder.tokeniser, TEXTS)), side), key=lambda item: item[0])
            for (_, own_LD, _), other in zip(encoded, vectors, strict=True):
                other_LD = torch.tensor(other).reshape(-1, own_LD.shape[1])
                assert own_LD.shape == other_LD.shape, (folder.name, side)
                torch.testing.assert_close(own_LD, other_LD, atol=1e-3, rtol=0, msg=f"{folder.name}, {side}")
