"""Cross-lingual late-interaction retrieval, distilled by optimal transport (OPTICAL: Huang, Yu, Allan, WSDM 2023)."""

__version__ = "0.1.0"

PUBLIC = {  # name -> the module that has it; `__init__.pyi` tells type checkers the same
    "Experiment": "optical.plan.experiment",
    "OptimalTransport": "optical.losses.objectives",
    "PairBatch": "optical.losses.objectives",
    "Retriever": "optical.search.retriever",
    "TokenContrast": "optical.losses.objectives",
    "TransportSettings": "optical.config.transport",
    "distil": "optical.training.distillation",
    "load_encoder": "optical.models.folders",
    "max_sim": "optical.losses.late_interaction",
}
__all__ = [*PUBLIC, "__version__"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: with torch behind it, that takes seconds."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    """Return the names to complete."""
    return sorted({*globals(), *PUBLIC})
