"""The transport plan between the tokens of two sentences, as the distillation of a student sees it."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optical.errors import ConfigError, DataError
from optical.files import read_json

if TYPE_CHECKING:
    from optical.config.transport import TransportSettings
    from optical.models.encoder import Encoder


class Alignment(NamedTuple):
    """The tokens of both sentences, the plan and the cost between them (lists of rows, one per foreign token)."""

    foreign: list[str]
    english: list[str]
    plan: list[list[float]]
    cost: list[list[float]]


def transport_settings(
    model: str, solver: str | None = None, regularisation: float | None = None, bitext_at_hand: bool = False
) -> "TransportSettings":
    """Return the transport settings of a model's training, if its provenance has them, with the given changes.

    Without the bitext, from which token weights are computed, the marginals are uniform.
    """
    from optical.config.transport import TransportSettings

    provenance = Path(model) / "provenance.json"
    trained = read_json(provenance).get("settings", {}).get("transport") if provenance.is_file() else None
    asked = {"solver": solver, "regularisation": regularisation}
    asked["marginals"] = None if bitext_at_hand else "uniform"
    asked = {key: value for key, value in asked.items() if value is not None}
    return TransportSettings.read((trained or {}) | asked, "transport")


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
    import torch

    from optical.losses.transport import token_cost, transport_plan
    from optical.models.encoder import QUERY
    from optical.text.token_files import TokenFile
    from optical.text.tokeniser import tokenise, vocabulary_size

    if student.dimension != teacher.dimension:
        what = f"token vectors of {student.dimension} and {teacher.dimension} dimensions"
        raise ConfigError(what, where="align", hint="--teacher must be the model that the student was distilled from")
    sides = []
    for encoder, text, side in ((student, foreign, "foreign"), (teacher, english, "english")):
        ((_, vectors_LD, ids_L),) = encoder.encode(list(tokenise(encoder.tokeniser, [text])), QUERY)
        keep_L = encoder.content_mask(ids_L[None], torch.ones_like(ids_L)[None], QUERY)[0] | special
        if not keep_L.any():
            raise DataError("a sentence without a token", where=repr(text), hint="give some words")
        weights_BL = None
        if tokens:
            file = TokenFile(Path(tokens) / side)
            rows = vocabulary_size(encoder.tokeniser)
            rarity_V = file.inverse_document_frequency(rows, encoder.special_ids)
            weights_BL = torch.from_numpy(rarity_V)[ids_L[keep_L]][None]
        pieces = [str(encoder.tokeniser.id_to_token(token)) for token in ids_L[keep_L].tolist()]
        sides.append((vectors_LD[keep_L][None], torch.ones(1, len(pieces), dtype=torch.bool), weights_BL, pieces))
    (student_BMD, student_BM, student_weights_BM, foreign_tokens), teacher_side = sides
    teacher_BND, teacher_BN, teacher_weights_BN, english_tokens = teacher_side
    cost_BMN = token_cost(student_BMD, teacher_BND)
    plan_BMN = transport_plan(cost_BMN, student_BM, teacher_BN, settings, student_weights_BM, teacher_weights_BN)
    return Alignment(foreign_tokens, english_tokens, plan_BMN[0].tolist(), cost_BMN[0].tolist())


def transport_cost(alignment: Alignment) -> float:
    """Return the cost of a plan: masses times distances, added up.

    >>> transport_cost(Alignment(["swali"], ["the", "question"], [[0.25, 0.75]], [[1.0, 0.2]]))
    0.4
    """
    rows = zip(alignment.plan, alignment.cost, strict=True)
    return sum(mass * cost for masses, costs in rows for mass, cost in zip(masses, costs, strict=True))
