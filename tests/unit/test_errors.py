"""Errors are one family and one line."""

from optical.errors import ConfigError, DataError, OpticalError, ResourceError


def test_one_family_of_errors():
    for kind in (ConfigError, DataError, ResourceError):
        assert issubclass(kind, OpticalError)
        assert str(kind("what")) == "what"
        assert str(kind("what", where="there")) == "what [there]"
        assert str(kind("what", hint="do this")) == "what. Hint: do this"
