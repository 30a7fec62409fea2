"""Random token vectors, and collections of them in shards."""

from pathlib import Path

import numpy as np

from optical.search.vectors import write_vectors

DIM = 8


def unit_vectors(rng: np.random.Generator, count: int, dim: int = DIM) -> np.ndarray:
    """Return random vectors of unit length."""
    vectors = rng.standard_normal((count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def write_collection(
    folder: Path, documents: list[np.ndarray], cuts: list[int] = (), by_length: bool = True, dtype: str = "float32"
) -> list[Path]:
    """Write documents d0, d1, ... in shards that end at `cuts`; return the folders."""
    folders = []
    for first, last in zip([0, *cuts], [*cuts, len(documents)], strict=True):
        folders.append(folder / f"shard{len(folders)}")
        order = sorted(range(first, last), key=lambda i: len(documents[i])) if by_length else range(first, last)
        with write_vectors(folders[-1], documents[0].shape[1], dtype) as writer:
            for i in order:
                writer.append([i - first], [f"d{i}"], [len(documents[i])], documents[i])
    return folders
