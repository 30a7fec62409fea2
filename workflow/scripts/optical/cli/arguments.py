"""What several commands ask of their arguments: what does not fit is one line, and exit code 2; and of models."""

import argparse
import math
import re
from pathlib import Path
from typing import NamedTuple

from optical.errors import DataError, OpticalError


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


class Origin(NamedTuple):
    """What a student's place in the results tells about it; empty where it lies elsewhere."""

    lang: str
    method: str
    seed: str
    results: Path | None


def origin_of(model: Path) -> Origin:
    """Read language, method and seed from a path such as results/students/sw/optical/1.

    >>> origin_of(Path("results/students/sw/optical/1"))[:3]
    ('sw', 'optical', '1')
    >>> origin_of(Path("elsewhere/model"))[:3]
    ('', '', '')
    """
    place = re.search(r"(?:^|/)students/([a-z]{2,3})/([^/]+)/(\d+)$", model.as_posix())
    return Origin(place[1], place[2], place[3], model.parents[3]) if place else Origin("", "", "", None)


def trained_model(place: str) -> Path:
    """Return the folder of a model; where there is none, say which students there are."""
    folder = Path(place)
    if not (folder / "config.json").is_file():
        origin = origin_of(folder)
        results = origin.results or (folder.parent if folder.name == "teacher" else Path("results"))
        hint = f"{students_there(results, origin.lang)}; a model's folder is such as results/students/sw/optical/1"
        raise DataError("no such model", where=folder, hint=hint)
    return folder


def students_there(results: Path, lang: str) -> str:
    """Say which students there are of a language, or of which languages there are some."""
    students = sorted(path.parent.parts[-3:] for path in results.glob("students/*/*/[!.]*/config.json"))
    of_lang = [f"{method} {seed}" for code, method, seed in students if code == lang]
    if of_lang:
        return f"of {lang} there are (method, seed): {', '.join(of_lang)}"
    codes = ", ".join(dict.fromkeys(code for code, _, _ in students))
    return f"there are students of {codes}" if codes else "none is trained yet"
