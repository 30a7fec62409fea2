"""Cross-lingual late-interaction retrieval, distilled by optimal transport (OPTICAL: Huang, Yu, Allan, WSDM 2023)."""

__version__ = "0.1.0"

__all__ = ["Retriever", "__version__"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: with torch behind it, that takes seconds."""
    if name != "Retriever":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module("optical.search.retriever").Retriever
