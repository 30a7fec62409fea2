"""The block `transport`: the transport problem and its solver."""

from typing import Annotated, Literal

from optical.config.base import NOT_GIVEN, Count, FromEncoder, NotNegative, Positive, Settings


class TransportSettings(Settings):
    """What decides a transport plan."""

    solver: Literal["sinkhorn", "ipot", "exact", "greedy"] = "sinkhorn"
    """how the plan is found"""

    regularisation: Positive = 0.05
    """entropy weight, in units of the cost; small is sharp; for ipot the length of a proximal step"""

    iterations: Count = 1000
    """maximum number of iterations; log and provenance count the plans that need more"""

    tolerance: NotNegative = 0.005
    """stop a plan once it misplaces at most this share of its mass; 0 never stops early"""

    marginals: Literal["uniform", "idf"] = "idf"
    """mass of a token: the same for all, or its inverse document frequency in the bitext"""

    inner_iterations: Count = 1
    """scalings per outer step of ipot"""


class Transport(TransportSettings):
    """The transport problem of `optimal_transport` and `token_contrast`, and its solver."""

    regularisation: Annotated[Positive, FromEncoder] = NOT_GIVEN
