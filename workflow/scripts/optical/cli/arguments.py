"""Checks of arguments that several commands share: a wrong one gives one line and exit code 2."""

import argparse
import math
import os
import re

from optical.errors import ConfigError, OpticalError
from optical.runtime.devices import check_name, device_of


class WrongArguments(OpticalError):
    """The arguments of a command do not go together."""


def whole_number(text: str) -> int:
    """Read a whole number above zero.

    >>> whole_number("10")
    10
    """
    if not re.fullmatch(r"0*[1-9]\d*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
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
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number


def not_empty(text: str) -> str:
    """Read a path or a name; an empty one comes from a variable of the shell that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def device(text: str) -> str:
    """Read the name of a device: auto, cpu, cuda or cuda:N."""
    try:
        check_name(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {error.hint}") from None
    return text


def add_device_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the arguments that say where a model computes, with the default of `--device`."""
    device_help = f"cpu, cuda, cuda:N, or auto: a GPU where there is one (default: {default})"
    parser.add_argument("--device", default=default, type=device, help=device_help)
    threads = os.cpu_count() or 1
    parser.add_argument("--threads", type=whole_number, default=threads, help="CPU threads (default: all)")


def how_to_read(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the arguments of a retriever that say how a model reads passages."""
    return {name: getattr(arguments, name) for name in ("device", "base", "precision")}


def start_device(name: str, threads: int) -> None:
    """Set the number of threads, and refuse a device that torch does not see."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # idle threads sleep, not spin, where others work too
    import torch

    device_of(name)
    torch.set_num_threads(min(threads, os.cpu_count() or 1))  # thousands would end the process


def language_code(text: str) -> str:
    """Read the code of a language as config/languages.tsv has it: two or three small letters."""
    if not re.fullmatch(r"[a-z]{2,3}", text):
        named = f"; {text} has the code {code}" if (code := code_of_name(text)) else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not a language code such as sw{named}")
    return text


def code_of_name(name: str) -> str:
    """Return the code of the language with an English name, by CLDR; "" for none.

    >>> code_of_name("hausa"), code_of_name("Klingonish")
    ('ha', '')
    """
    from babel import Locale

    languages = Locale("en").languages.items()
    return next((code for code, known in languages if known.lower() == name.lower() and len(code) < 4), "")
