"""Errors are one family and one line."""

from optical.errors import ConfigError, DataError, OpticalError, ResourceError


def test_one_family_of_errors():
    for kind in (ConfigError, DataError, ResourceError):
        assert issubclass(kind, OpticalError)
        assert str(kind("what")) == "what"
        assert str(kind("what", where="there")) == "what [there]"
        assert str(kind("what", hint="do this")) == "what. Hint: do this"


def test_no_password_of_an_address_is_told():
    error = ResourceError("no answer of https://a:b%40c@h.org/x", where="ftp://me@h.org/a@b")
    assert str(error) == "no answer of https://h.org/x [ftp://h.org/a@b]"
    assert error.where == "ftp://h.org/a@b"
    assert str(DataError("a: //x@y")) == "a: //x@y"
