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


def test_what_a_file_holds_is_told_in_one_line_that_a_terminal_shows():
    error = DataError("query \x1b]0;x\x07\r\n\u2028\u202e\ud83d", where="a\nb", hint="\x85")
    assert str(error) == r"query \x1b]0;x\x07\r\n\u2028\u202e\ud83d [a\nb]. Hint: \x85"
    str(error).encode()
    long = str(DataError(f"grade {'7' * 5000}, line 3"))
    assert len(long) < 1000 and long.startswith("grade 777") and long.endswith("777, line 3")
