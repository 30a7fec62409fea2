"""What several commands ask of their arguments: what does not fit is one line, and exit code 2."""

import argparse
import math
import re

from optical.errors import OpticalError


class WrongArguments(OpticalError):
    """The arguments of a command do not go together."""


def whole_number(text: str) -> int:
    """Read a whole number above zero.

    >>> whole_number("10")
    10
    """
    if not re.fullmatch(r"0*[1-9]\d*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def positive_number(text: str) -> float:
    """Read a finite number above zero.

    >>> positive_number("1e-2")
    0.01
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def device(text: str) -> str:
    """Read the name of a device: cpu, cuda or cuda:N."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is neither cpu nor cuda nor cuda:N")
    return text


def language_code(text: str) -> str:
    """Read the code of a language as config/languages.tsv has it: two or three small letters."""
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no code of a language, such as sw")
    return text
