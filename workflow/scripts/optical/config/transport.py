"""The block `transport`: the transport problem and its solver."""

from typing import Annotated, Literal

from annotated_types import Gt, Le

from optical.config.base import NOT_GIVEN, Count, FromEncoder, NotNegative, Numeric, Positive, Settings


class TransportSettings(Settings):
    """What decides a transport plan."""

    solver: Literal["sinkhorn", "sinkhorn_pot", "ipot", "exact", "greedy", "unbalanced", "partial"] = "sinkhorn"
    """how the plan is found"""

    regularisation: Positive = 0.05
    """entropy weight, in units of the cost; small is sharp; for ipot the length of a proximal step"""

    iterations: Count = 50
    """most iterations of the solver"""

    tolerance: NotNegative = 1e-4
    """stop once no plan is off by more than this share of its mass; 0 never stops early"""

    marginals: Literal["uniform", "idf"] = "idf"
    """mass of a token: the same for all, or its inverse document frequency in the bitext"""

    inner_iterations: Count = 1
    """scalings per outer step of ipot"""

    relaxation: Positive = 1.0
    """price of missing the marginals (unbalanced)"""

    mass: Annotated[float, Gt(0), Le(1), Numeric] = 0.9
    """share of the mass that moves (partial)"""


class Transport(TransportSettings):
    """The transport problem of `optimal_transport`, and its solver."""

    regularisation: Annotated[Positive, FromEncoder] = NOT_GIVEN
