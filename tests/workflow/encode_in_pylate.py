"""Run by test_pylate_folders in an environment with PyLate: encode texts with models that were saved in its layout.

Arguments: [folder, ...] and [text, ...]. Prints, by folder, token vectors of both sides.
"""

import json
import sys


def encode(folder, texts):
    """Return the token vectors of queries and documents, without any argument but which they are."""
    from pylate import models

    model = models.ColBERT(folder, device="cpu")
    sides = {"query": True, "document": False}
    return {
        side: [vectors.tolist() for vectors in model.encode(texts, is_query=is_query, show_progress_bar=False)]
        for side, is_query in sides.items()
    }


if __name__ == "__main__":
    folders, texts = map(json.loads, sys.argv[1:])
    print(json.dumps({folder: encode(folder, texts) for folder in folders}))
