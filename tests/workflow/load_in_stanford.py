"""Run by test_export_stanford in an environment with Stanford ColBERT: use exports by its calls, and as cards say.

Arguments: [export folder, ...] and [text, ...]. Prints, by folder, the token vectors of both sides that count, and
saves each query encoder as that code does, in `saved` of its export.
"""

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path


def encode(folder, texts):
    """Return the token vectors of queries and documents that are not blanked out."""
    import torch
    from colbert.infra import ColBERTConfig
    from colbert.modeling.checkpoint import Checkpoint

    checkpoint = Checkpoint(f"{folder}/query", ColBERTConfig(), verbose=0)
    checkpoint.save(f"{folder}/saved")
    queries = checkpoint.queryFromText(texts)
    documents = Checkpoint(f"{folder}/document", ColBERTConfig(), verbose=0).docFromText(texts)
    sides = {"query": queries, "document": torch.as_tensor(documents)}
    return {
        side: [vectors_LD[vectors_LD.norm(dim=-1) > 0.5].tolist() for vectors_LD in vectors_BLD]
        for side, vectors_BLD in sides.items()
    }


def use_card(folder):
    """Run the code of the model card as a reader would; return its texts, and the scores that it prints."""
    code = re.search(r"```python\n(.*?)```", Path(folder, "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    os.chdir(folder)
    names, output = {}, io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, names)
    rows = [line for line in output.getvalue().splitlines() if line.startswith("[")]
    return {"queries": names["queries"], "passages": names["passages"], "scores": [json.loads(row) for row in rows]}


if __name__ == "__main__":
    folders, texts = map(json.loads, sys.argv[1:])
    os.chdir(folders[0])  # no git repository: in one, that code asks for a branch, which HEAD may not have
    found = {folder: encode(folder, texts) | {"card": use_card(folder)} for folder in folders}
    print(json.dumps(found))
