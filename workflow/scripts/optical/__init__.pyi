from optical.config.transport import TransportSettings as TransportSettings
from optical.losses.late_interaction import max_sim as max_sim
from optical.losses.objectives import OptimalTransport as OptimalTransport
from optical.losses.objectives import PairBatch as PairBatch
from optical.losses.objectives import TokenContrast as TokenContrast
from optical.models.folders import load_encoder as load_encoder
from optical.plan.experiment import Experiment as Experiment
from optical.search.retriever import Retriever as Retriever
from optical.training.distillation import distil as distil

__version__: str
