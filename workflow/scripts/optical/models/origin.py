"""Where a model comes from: its place in the results, and the teacher that it names. Nothing here imports torch."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from optical.config.model_folders import OF_THE_HUB
from optical.config.names import MULTILINGUAL
from optical.errors import DataError
from optical.files import read_json
from optical.runtime.provenance import check_belongs, holds


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


def run_tag(model: Path) -> str:
    """Return how a run of a model is called: by the method of a student, or by the folder of another model.

    >>> run_tag(Path("results/students/sw/optical/1")), run_tag(Path("models/my model"))
    ('optical', 'my_model')
    """
    return origin_of(model).method or "_".join(model.resolve().name.split()) or "model"


def trained_model(place: str | Path) -> Path:
    """Return the folder of a model; where there is none, say which students there are."""
    folder = Path(place)
    if not (folder / "config.json").is_file():
        origin = origin_of(folder)
        results = origin.results or (folder.parent if folder.name == "teacher" else Path("results"))
        there = students_there(results, origin.lang)
        hint = f"{there}; a model's folder is such as results/students/sw/optical/1, and {OF_THE_HUB}"
        raise DataError("no such model", where=folder, hint=hint)
    return folder


def students_there(results: Path, lang: str) -> str:
    """Say which students there are that read a language, or of which languages there are some."""
    students = sorted(path.parent.parts[-3:] for path in results.glob("students/*/*/[!.]*/config.json"))
    of_lang = [f"{method} {seed}" for code, method, seed in students if code in (lang, MULTILINGUAL)]
    if of_lang:
        return f"of {lang} there are (method, seed): {', '.join(of_lang)}"
    codes = ", ".join(dict.fromkeys(code for code, _, _ in students))
    return f"there are students of {codes}" if codes else "none is trained yet"


def method_there(results: Path, lang: str = "*") -> str:
    """Return the method that is meant where none is named: the only one that has students, otherwise `optical`."""
    codes = dict.fromkeys([lang, MULTILINGUAL])
    methods = {path.parts[-3] for code in codes for path in results.glob(f"students/{code}/[!.]*/[!.]*/config.json")}
    return methods.pop() if len(methods) == 1 else "optical"


def student_in(results: Path, lang: str, method: str, seed: int | str) -> Path:
    """Return the folder of a student: that of the language, or the one of all languages that a method has instead.

    Of both, which a changed config leaves behind, it is the one that was made last.
    """
    places = [results / "students" / code / method / str(seed) for code in (lang, MULTILINGUAL)]
    made = [place for place in places if (place / "config.json").is_file()]
    return max(made, key=lambda place: (place / "config.json").stat().st_mtime, default=places[0])


def query_model(results: Path, lang: str, method: str = "", seed: int | str | None = None) -> Path:
    """Return the folder of the model that reads the queries of a language in an experiment: a student, or the teacher.

    Args:
        results: the experiment's folder.
        lang: the queries' language; English is read by the teacher.
        method: of the student, or zero-shot or extended; "" for the one of `method_there`.
        seed: of the student; None for 1.

    Raises:
        DataError: there is no such model.
    """
    method = method or method_there(results, lang)
    model = student_in(results, lang, method, 1 if seed is None else seed)
    if lang == "en" or method == "zero-shot":
        model = results / "teacher"
    elif method == "extended":
        model = results / "extended" / lang
    if not (model / "config.json").is_file():
        raise DataError(
            "no such model", where=model, hint=f"{students_there(results, lang)}; or name a folder by --model"
        )
    return model


def reads_passages(model: str | Path) -> bool:
    """Return whether a model has learnt to read passages: any, except a student that was taught queries alone."""
    record = _record(model)
    return "teacher" not in record.get("inputs", {}) or "document" in record.get("settings", {}).get("sides", [])


def check_reader(model: str | Path, reader: str | Path) -> None:
    """Refuse a model to read passages for another one, if it was not its teacher or has learnt to read queries alone.

    Raises:
        DataError: there is no such model, or the two do not belong together.
    """
    if not reads_passages(trained_model(reader)):
        hint = "name the teacher that it was trained with"
        raise DataError("a student that has learnt to read queries alone", where=reader, hint=hint)
    check_belongs(trained_model(model), reader)


def teacher_of(model: str | Path) -> Path:
    """Return the folder of the teacher that a student names: in its experiment, a parent experiment, or its export.

    Raises:
        DataError: it is not there, or has changed since.
    """
    wanted = _record(model)["inputs"]["teacher"]
    found = list(dict.fromkeys(_teachers_near(Path(model).absolute())))
    for folder in found:
        if holds(folder, wanted):
            return folder
    what = "not the teacher that this student was trained with" if found else "the student's teacher is not beside it"
    raise DataError(what, where=found[0] if found else model, hint="name the teacher's folder: --teacher FOLDER")


def _teachers_near(model: Path) -> Iterator[Path]:
    """Yield the folders in which the teacher of a student may lie: of its experiment, of its export, of the hub."""
    for parent in model.parents:
        for folder in (parent / "teacher", parent / "dense", parent / "document", *sorted(parent.glob("models/*/*"))):
            if (folder / "config.json").is_file():
                yield folder


def _record(model: str | Path) -> dict[str, Any]:
    """Return the provenance of a model, empty where there is none."""
    path = Path(model, "provenance.json")
    return read_json(path) if path.is_file() else {}
