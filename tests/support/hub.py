"""The hub's client, made to talk to a server of the tests."""

import sys


def use_hub(monkeypatch, address):
    """Let the hub's client be imported again with this address, which it reads once, when it is imported."""
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    forget_client(monkeypatch)


def forget_client(monkeypatch):
    """Remove the hub's client from the imported modules, so that the next user imports it again."""
    for name in [name for name in sys.modules if name.split(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
