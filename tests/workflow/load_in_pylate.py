"""Run by test_export_pylate in an environment with PyLate: encode with exported models, and try the model card's code.

Arguments: [export folder, ...] and [text, ...]. Prints, by folder, token vectors of both sides and MaxSim scores.
"""

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


def try_card(folder):
    """Run the code of the model card as a reader would."""
    card = Path(folder, "README.md").read_text(encoding="utf-8")
    os.chdir(folder)
    exec(re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1), {})


if __name__ == "__main__":
    folders, texts = map(json.loads, sys.argv[1:])
    found = {folder: encode(folder, texts) for folder in folders}
    try_card(folders[0])
    print(json.dumps(found))
