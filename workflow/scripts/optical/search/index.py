"""An index: a folder with passages and their token vectors, which names the model that has read them.

- `index.json`     the version of this form, the models, and the parts with the places of their deleted passages
- `part-<name>/`   `documents.jsonl` (the passages), `metadata.tsv` (id, language, source, date), `vectors/` (a shard),
                   `tokenizer.json` of the model that read them; a part never changes. Where an engine holds the
                   passages, there is one part, with its table (`optical.search.engine`) in place of all but the last

Models are named by their path from the index and recognised by their digest, so both folders may move together.
`optical.search.index_changes` says how an index changes.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from optical.errors import DataError
from optical.files import as_argument, read_json, write_json
from optical.models.origin import method_there, origin_of, query_model, reads_passages, trained_model
from optical.runtime.provenance import check_belongs, content_hash
from optical.search.engine import Table, table_of
from optical.search.passages import Passages

FORMAT = 2
DESCRIPTION = "index.json"
State = TypeVar("State")
Found = TypeVar("Found")


@dataclass(frozen=True)
class NamedModel:
    """A model as an index names it: its path from the index, and the digest of its files."""

    path: str
    digest: str

    @classmethod
    def of(cls, model: str | Path, index: Path) -> "NamedModel":
        """Return how an index names the model in a folder."""
        path = os.path.relpath(trained_model(str(model)).resolve(), index.resolve())
        return cls(path, content_hash(model))


@dataclass(frozen=True)
class Part:
    """A part of an index: the name of its folder, its number of passages, and the places of deleted ones.

    Of an engine's part it is the number of passages when the table's inverted file was made.
    """

    name: str
    size: int
    deleted: list[int]

    @property
    def live(self) -> int:
        """Return how many passages are not deleted."""
        return self.size - len(self.deleted)


@dataclass(frozen=True)
class Index:
    """An index, opened.

    Attributes:
        folder: of the index.
        parts: the parts with the passages, the oldest first.
        reader: the model that has read the passages.
        model: the model that the index was built for, which reads queries.
        pool: how many similar token vectors of a passage became one.
        engine: that holds the passages of the one part in a table and searches them; "" for exact search.
        store: address of the bucket with the engine's table; "" where it lies in the part.
    """

    folder: Path
    parts: list[Part]
    reader: NamedModel
    model: NamedModel
    pool: int = 1
    engine: str = ""
    store: str = ""

    @property
    def size(self) -> int:
        """Return the number of passages."""
        if self.engine:
            return self.table.size if self.parts else 0
        return sum(part.live for part in self.parts)

    @property
    def table(self) -> Table:
        """Return the newest version of the engine's table."""
        return table_of(*self.place_of_table(self.parts[0].name), self.folder / self.parts[0].name / "tokenizer.json")

    def place_of_table(self, part: str) -> tuple[str, str]:
        """Return where the engine's table of a part lies, and its name there."""
        return (self.store, part) if self.store else (str(self.folder / part), "passages")

    @property
    def passages(self) -> Passages | Table:
        """Return where the passages lie."""
        return self.table if self.engine else self.in_parts

    @property
    def in_parts(self) -> Passages:
        """Return where the passages of exact search lie."""
        folders = [self.folder / part.name for part in self.parts]
        return Passages(
            documents=[folder / "documents.jsonl" for folder in folders],
            shards=[folder / "vectors" for folder in folders],
            tokeniser=folders[-1] / "tokenizer.json" if folders else None,
            metadata=[folder / "metadata.tsv" for folder in folders],
            deleted=[part.deleted for part in self.parts],
        )

    def write(self) -> None:
        """Replace the description on disk with this one, in one step."""
        description = asdict(self) | {"format": FORMAT}
        for left_out in ("folder", *(key for key in ("engine", "store") if not description[key])):
            del description[left_out]
        write_json(self.folder / DESCRIPTION, description | {"digest": _digest(description)})

    def place_of(self, model: NamedModel) -> Path:
        """Return where a model that the index names should be."""
        return Path(os.path.normpath(self.folder.resolve() / model.path))

    def folder_of(self, model: NamedModel) -> Path:
        """Return the folder of a model that the index names; refuse one that is missing or has changed."""
        folder = self.place_of(model)
        hint = "bring it back, or name it where it lies now by --model FOLDER, in `index add` by --teacher FOLDER"
        if not (folder / "config.json").is_file():
            raise DataError(f"the model of {self.folder} is not there", where=folder, hint=hint)
        if content_hash(folder) != model.digest:
            raise DataError(f"the model has changed since {self.folder} was built", where=folder, hint=hint)
        return folder

    def query_model(self, lang: str = "", method: str = "", seed: int | None = None) -> Path:
        """Return the folder of the model that reads queries of a language: beside the model of the index.

        Args:
            lang: "" for the language of the index's own model; English is read by the model that read the passages.
            method: how the student was trained; "" for the method of the index's model, or the only one that there is.
            seed: of the student; None for the seed of the index's model.

        Raises:
            DataError: there is no such model.
        """
        origin = origin_of(self.place_of(self.model))
        asked = (lang or origin.lang, method or origin.method, str(origin.seed or 1) if seed is None else str(seed))
        if (lang, method, seed) == ("", "", None) or asked == origin[:3]:
            return self.folder_of(self.model)
        if lang == "en" or method == "zero-shot":
            return self.folder_of(self.reader)
        if self.results is None or not asked[0]:
            what = f"beside the model of this index there is none for {lang or 'this language'}"
            raise DataError(what, where=self.folder, hint="name it by --model FOLDER")
        return query_model(self.results, *asked)

    @property
    def results(self) -> Path | None:
        """Return the folder of the experiment that the index's model, a student or the teacher, lies in, if it does."""
        own = self.place_of(self.model)
        return origin_of(own).results or (own.parent if own.name == "teacher" else None)

    def query_models(self) -> dict[str, Path]:
        """Return the models that read queries of a language, beside the model of the index and trained as it was.

        English is read by the model that read the passages. A model that lies in no experiment has the language "".
        """
        if self.results is None:
            return {"": self.folder_of(self.model)}
        origin = origin_of(self.place_of(self.model))
        method = origin.method or method_there(self.results)
        found = self.results.glob(f"students/*/{method}/{origin.seed or 1}/config.json")
        langs = dict.fromkeys([origin.lang, *sorted(path.parents[2].name for path in found), "en"])
        return {lang: self.query_model(lang) for lang in langs if lang}

    def check(self, model: Path) -> None:
        """Refuse a model whose queries cannot be compared with these passages."""
        if content_hash(model) in (self.model.digest, self.reader.digest):
            return
        if reads_passages(model):
            hint = "name a student of the model that read the passages, or build an index with this one"
            raise DataError(f"the model does not belong to the index {self.folder}", where=model, hint=hint)
        reader = self.place_of(self.reader)
        if reader.is_dir() and content_hash(reader) == self.reader.digest:
            check_belongs(model, reader)
        else:
            check_belongs(model, self.folder, self.reader.digest)


def is_index(folder: str | Path) -> bool:
    """Return whether a folder holds an index."""
    return Path(folder, DESCRIPTION).is_file()


def open_index(folder: str | Path) -> Index:
    """Open an index.

    Raises:
        DataError: the folder is not an index, or one of another version.
    """
    folder = Path(folder)
    if not is_index(folder):
        raise DataError("not an index", where=folder, hint=f"optical index build FILE --model M --to {folder}")
    description = read_json(folder / DESCRIPTION)
    form = description.get("format") if isinstance(description, dict) else None
    if form != FORMAT:
        what = f"an index of version {form}; this program reads version {FORMAT}"
        raise DataError(what, where=folder, hint="build it again: optical index build")
    try:
        if description.pop("digest") != _digest(description):
            raise KeyError("digest")
        del description["format"]
        reader, model = (NamedModel(**description.pop(key)) for key in ("reader", "model"))
        parts = [Part(**part) for part in description.pop("parts")]
        return Index(folder, parts, reader, model, **description)
    except (KeyError, TypeError) as error:
        raise DataError("a damaged index", where=folder / DESCRIPTION, hint="build it again") from error


def read_again_if_changed(state: Callable[[], State], read: Callable[[State], Found]) -> Found:
    """Return what is read of an index in its current state: a change by another process deletes the parts before it."""
    while True:
        now = state()
        try:
            return read(now)
        except (DataError, OSError):
            if state() == now:
                raise


def _digest(description: dict[str, Any]) -> str:
    """Return the SHA-256 of a description, which holds it: a record beside it could not change in the same step."""
    return hashlib.sha256(as_argument(description).encode()).hexdigest()


def cached_index(passages: str | Path, reader: str | Path) -> Path:
    """Return the folder of the cached index of a file of passages, by the content of the file and of its model.

    That is below XDG_CACHE_HOME, or ~/.cache where this is not set. An index of another version has another name.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "optical" / f"{content_hash(passages)}-{content_hash(reader)}-{FORMAT}"
