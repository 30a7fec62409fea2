"""Run by test_export_stanford in an environment with Stanford ColBERT: encode with exported checkpoints.

Arguments: [export folder, ...] and [text, ...]. Prints, by folder, the token vectors of both sides that count.
"""

import json
import sys

import torch
from colbert.infra import ColBERTConfig
from colbert.modeling.checkpoint import Checkpoint

folders, texts = map(json.loads, sys.argv[1:])


def kept(vectors_BLD):
    return [vectors_LD[vectors_LD.norm(dim=-1) > 0.5].tolist() for vectors_LD in vectors_BLD]


found = {}
for folder in folders:
    queries = Checkpoint(f"{folder}/query", ColBERTConfig(), verbose=0).queryFromText(texts)
    documents = Checkpoint(f"{folder}/document", ColBERTConfig(), verbose=0).docFromText(texts)
    found[folder] = {"query": kept(queries), "document": kept(torch.as_tensor(documents))}
print(json.dumps(found))
