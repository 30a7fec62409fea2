import pytest

from support.trainings import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    """Inputs for every training program, and the weights that an undisturbed training ends with."""
    return Bench(tmp_path_factory.mktemp("trainings"))
