"""Run by test_export_pylate in an environment with PyLate: use exported models by its calls, and as their card says.

Arguments: [export folder, ...] and [text, ...]. Prints, by folder, token vectors of both sides and MaxSim scores.
"""

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path


def encode(folder, texts):
    """Return the token vectors of queries and documents, and their scores."""
    from pylate import models, scores

    query = models.ColBERT(f"{folder}/query", device="cpu")
    document = models.ColBERT(f"{folder}/document", device="cpu")
    queries = query.encode(texts, is_query=True, show_progress_bar=False)
    documents = document.encode(texts, is_query=False, show_progress_bar=False)
    return {
        "query": [vectors.tolist() for vectors in queries],
        "document": [vectors.tolist() for vectors in documents],
        "scores": [[float(scores.colbert_scores(q[None], d[None])[0, 0]) for d in documents] for q in queries],
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
    found = {folder: encode(folder, texts) | {"card": use_card(folder)} for folder in folders}
    print(json.dumps(found))
