"""The fastest precision is what the processor has."""

from argparse import Namespace

import pytest

from optical.runtime import devices, precision
from optical.runtime.machine import machine_from


@pytest.fixture(autouse=True)
def give_back():
    yield
    while devices._leases:
        devices._leases.popitem()[1].close()


@pytest.mark.parametrize(("instructions", "expected"), [(["amx_bf16"], "bf16"), ([], "fp32")])
def test_the_fastest_precision_is_what_the_processor_has(monkeypatch, instructions, expected):
    monkeypatch.setattr(precision, "processor_bf16", lambda: instructions)
    arguments = Namespace(device="cpu", precision="auto", threads=1)
    assert machine_from(arguments).precision == expected
    assert machine_from(Namespace(**vars(arguments) | {"precision": "bf16"})).precision == "bf16"
