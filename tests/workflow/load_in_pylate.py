"""Run by test_export_pylate in an environment with PyLate: encode with exported models, and try the model card's code.

Arguments: [export folder, ...] and [text, ...]. Prints, by folder, token vectors of both sides and MaxSim scores.
"""

import json
import os
import re
import sys
from pathlib import Path

from pylate import models, scores

folders, texts = map(json.loads, sys.argv[1:])
found = {}
for folder in folders:
    query = models.ColBERT(f"{folder}/query", device="cpu")
    document = models.ColBERT(f"{folder}/document", device="cpu")
    queries = query.encode(texts, is_query=True, show_progress_bar=False)
    documents = document.encode(texts, is_query=False, show_progress_bar=False)
    matrix = [[float(scores.colbert_scores(q[None], d[None])[0, 0]) for d in documents] for q in queries]
    found[folder] = {
        "query": [vectors.tolist() for vectors in queries],
        "document": [vectors.tolist() for vectors in documents],
        "scores": matrix,
    }
card = Path(folders[0], "README.md").read_text(encoding="utf-8")
os.chdir(folders[0])
exec(re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1))
print(json.dumps(found))
