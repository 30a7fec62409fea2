"""The block `objectives` of a method: what a student learns, with the weight and the settings of each objective."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import model_validator

from optical.config.base import Flag, NotNegative, Number, Positive, Refused, Settings, Shorthand


class Objective(Settings):
    """One objective: a weight, or a map with the weight and settings."""

    solves_transport: ClassVar[bool] = False  # whether it needs the plan that the block `transport` describes

    weight: Number = 1.0
    """weight of the objective in the sum"""


class OptimalTransportObjective(Objective):
    """OPTICAL: the cost of carrying the student's tokens to the teacher's along the best plan."""

    solves_transport = True

    unroll: Flag = False
    """differentiate through the solver's iterations; the plan is a constant otherwise"""

    fused: Flag = True
    """on a GPU, compute all of it in one kernel where that works, to the same numbers"""


class SentenceMSEObjective(Objective):
    """Mean-pooled student close to mean-pooled teacher."""

    mean_over_dimensions: Flag = False
    """divide by the vectors' size"""

    token_weights: Flag = False
    """weigh tokens in the mean as the marginals of `transport` do"""


class TemperatureObjective(Objective):
    """An objective over the scores of a batch: `contrastive`, `score_kd`."""

    temperature: Positive = 1.0
    """divides the scores"""


class TokenContrastObjective(Objective):
    """Each token nearest to the English tokens that the plan carries it to, among those of the batch."""

    solves_transport = True

    temperature: Positive = 0.1
    """divides the cosines"""


class Objectives(Settings):
    """What a distilled student learns: a weight for each objective, or a map with `weight` and settings."""

    contrastive: Annotated[TemperatureObjective | None, Shorthand("weight")] = None
    """each query should score its own translation highest among the sentences of the batch"""

    greedy_mse: Annotated[Objective | None, Shorthand("weight")] = None
    """DR.DECR: tokens matched one to one, the closest first; squared distance within the matches"""

    optimal_transport: Annotated[OptimalTransportObjective | None, Shorthand("weight")] = None
    """OPTICAL: transport between the tokens of both sides, as the block `transport` says"""

    score_kd: Annotated[TemperatureObjective | None, Shorthand("weight")] = None
    """the teacher's distribution of scores over the batch's sentences"""

    sentence_mse: Annotated[SentenceMSEObjective | None, Shorthand("weight")] = None
    """squared distance between the mean-pooled vectors of both sides"""

    token_contrast: Annotated[TokenContrastObjective | None, Shorthand("weight")] = None
    """each token should be nearest to the English tokens that the plan of `transport` carries it to, among all of the
    batch"""

    @model_validator(mode="after")
    def _some(self) -> "Objectives":
        if not dict(self.chosen()):
            raise Refused("no objective is given", f"name one of {', '.join(type(self).model_fields)}, with its weight")
        return self

    def chosen(self) -> Iterator[tuple[str, Objective]]:
        """Yield name and settings of every objective that is named, in alphabetical order."""
        for name in type(self).model_fields:
            if (objective := getattr(self, name)) is not None:
                yield name, objective

    def use_transport(self) -> bool:
        """Return whether an objective solves the block `transport`, or weighs tokens by its marginals."""
        solves = any(objective.solves_transport for _, objective in self.chosen())
        return solves or (self.sentence_mse is not None and self.sentence_mse.token_weights)


class PretrainingObjectives(Settings):
    """Weights of what an encoder learns; all but mlm read the languages' `bitext`."""

    mlm: NotNegative = 1.0
    """weight of masked language modelling of `text`"""

    tlm: NotNegative = 0.0
    """weight of translation language modelling: both sides of a pair, masked, in one input"""

    optimal_transport: NotNegative = 0.0
    """weight of `transport` between the tokens of both sides, which both move; alone it makes all vectors alike"""

    contrastive: NotNegative = 0.0
    """weight of finding a sentence's translation among those of the batch, which keeps vectors apart"""

    def of_pairs(self) -> dict[str, float]:
        """Return the weights of the objectives that read sentence pairs, without those of 0.

        >>> PretrainingObjectives(tlm=0.0, optimal_transport=2.0).of_pairs()
        {'optimal_transport': 2.0}
        """
        return {name: weight for name, weight in self.model_dump().items() if name != "mlm" and weight}
