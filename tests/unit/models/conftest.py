"""Encoders for the tests of models."""

import pytest

from optical.models.folders import load_encoder
from support.tiny_models import save_encoder

VARIANTS = {
    "plain": {},
    "bert": {"tokeniser": "bert"},
    "expanded": {"query_expansion": True},
    "attending": {"query_expansion": True, "attend_to_expansion": True},
    "unprojected": {"dimension": 0},
    "punctuated": {"skip_punctuation": False},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a saved encoder for each variant."""
    base = tmp_path_factory.mktemp("encoders")
    return {name: save_encoder(base / name, **options) for name, options in VARIANTS.items()}


@pytest.fixture(params=VARIANTS)
def encoder(request, folders):
    return load_encoder(folders[request.param]).eval()


@pytest.fixture
def plain(folders):
    return load_encoder(folders["plain"]).eval()
