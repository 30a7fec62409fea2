"""The transport plan between the tokens of two sentences, as the distillation of a student sees it.

Shape suffixes: B sentences (1), M foreign tokens, N English tokens, L tokens of either side, D vector size,
V vocabulary.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optical.errors import ConfigError, DataError
from optical.files import read_json

if TYPE_CHECKING:
    from torch import Tensor

    from optical.config.transport import TransportSettings
    from optical.models.encoder import Encoder


class Alignment(NamedTuple):
    """The tokens of both sentences, the plan and the cost between them (lists of rows, one per foreign token)."""

    foreign: list[str]
    english: list[str]
    plan: list[list[float]]
    cost: list[list[float]]


class _Side(NamedTuple):
    """One sentence: its tokens, their vectors, which of them are real, and their weights, if they have some."""

    tokens: list[str]
    vectors_BLD: "Tensor"
    mask_BL: "Tensor"
    weights_BL: "Tensor | None"


def transport_settings(
    model: str, solver: str | None = None, regularisation: float | None = None, bitext_at_hand: bool = False
) -> "TransportSettings":
    """Return the transport settings of a model's training, if its provenance has them, with the given changes.

    Without the bitext, from which token weights are computed, the marginals are uniform.
    """
    from optical.config.transport import TransportSettings

    provenance = Path(model) / "provenance.json"
    trained = read_json(provenance).get("settings", {}).get("transport") if provenance.is_file() else None
    marginals = None if bitext_at_hand else "uniform"
    changes = {"solver": solver, "regularisation": regularisation, "marginals": marginals}
    changes = {key: value for key, value in changes.items() if value is not None}
    return TransportSettings.read((trained or {}) | changes, "transport")


def align(
    student: "Encoder",
    teacher: "Encoder",
    foreign: str,
    english: str,
    settings: "TransportSettings",
    special: bool,
    tokens: str | Path | None = None,
) -> Alignment:
    """Return the transport plan between the query tokens of two sentences; `special` keeps [CLS], markers and [SEP].

    `tokens` is the tokenised bitext from which token weights are computed, if the settings need them.
    """
    from optical.losses.transport import token_cost, transport_plan

    if student.dimension != teacher.dimension:
        what = f"token vectors of {student.dimension} and {teacher.dimension} dimensions"
        raise ConfigError(what, where="align", hint="--teacher must be the model that the student was distilled from")
    foreign_side = _read(student, foreign, special, Path(tokens, "foreign") if tokens else None)
    english_side = _read(teacher, english, special, Path(tokens, "english") if tokens else None)
    cost_BMN = token_cost(foreign_side.vectors_BLD, english_side.vectors_BLD)
    weights = foreign_side.weights_BL, english_side.weights_BL
    plan_BMN = transport_plan(cost_BMN, foreign_side.mask_BL, english_side.mask_BL, settings, *weights)
    return Alignment(foreign_side.tokens, english_side.tokens, plan_BMN[0].tolist(), cost_BMN[0].tolist())


def _read(encoder: "Encoder", text: str, special: bool, token_file: Path | None) -> _Side:
    """Read a sentence as a query; the token file is the side of the bitext that its weights are computed from."""
    import torch

    from optical.models.encoder import QUERY
    from optical.text.token_files import TokenFile
    from optical.text.tokeniser import vocabulary_size

    ((_, vectors_LD, ids_L),) = encoder.encode(text, QUERY)
    keep_L = encoder.content_mask(ids_L[None], torch.ones_like(ids_L)[None], QUERY)[0] | special
    if not keep_L.any():
        raise DataError("a sentence without a token", where=repr(text), hint="give some words")
    ids_L = ids_L[keep_L]
    weights_BL = None
    if token_file:
        size = vocabulary_size(encoder.tokeniser)
        rarity_V = TokenFile(token_file).inverse_document_frequency(size, encoder.special_ids)
        weights_BL = torch.from_numpy(rarity_V)[ids_L][None]
    pieces = [str(encoder.tokeniser.id_to_token(token)) for token in ids_L.tolist()]
    return _Side(pieces, vectors_LD[keep_L][None], torch.ones(1, len(pieces), dtype=torch.bool), weights_BL)


def transport_cost(alignment: Alignment) -> float:
    """Return the cost of a plan: masses times distances, added up.

    >>> transport_cost(Alignment(["swali"], ["the", "question"], [[0.25, 0.75]], [[1.0, 0.2]]))
    0.4
    """
    rows = zip(alignment.plan, alignment.cost, strict=True)
    return sum(mass * cost for masses, costs in rows for mass, cost in zip(masses, costs, strict=True))
