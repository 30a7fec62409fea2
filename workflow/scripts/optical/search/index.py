"""An index: passages of one's own with their token vectors, in a folder that says which model has read them.

- `index.json`     the version of this form, the models, and the part that holds the passages
- `part-<name>/`   `documents.jsonl` (the passages), `vectors/` (a shard), `tokenizer.json` of the model that read them

A change writes a new part, then replaces `index.json` in one step, then deletes the old part. A process that is killed
leaves the index as it was before, and perhaps a part that the next change deletes. Models are named by their path from
the index, and known by their digest: both folders may move together.
"""

import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from optical.corpora.files import checked_documents
from optical.corpora.passages import Document
from optical.errors import DataError
from optical.files import atomic_folder, read_json, read_jsonl, write_json, write_jsonl
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.origin import origin_of, query_model, reads_passages, trained_model
from optical.runtime.provenance import check_belongs, content_hash
from optical.search.encoding import encode_documents
from optical.search.passages import Passages

FORMAT = 1
DESCRIPTION = "index.json"
PART = "part-"


@dataclass(frozen=True)
class NamedModel:
    """A model as an index names it: its path from the index, and the digest of its files."""

    path: str
    digest: str


@dataclass(frozen=True)
class Index:
    """An index, opened.

    Attributes:
        folder: of the index.
        part: name of the folder that holds the passages.
        size: number of passages.
        reader: the model that has read the passages.
        model: the model that the index was built for, which reads queries.
    """

    folder: Path
    part: str
    size: int
    reader: NamedModel
    model: NamedModel

    @property
    def passages(self) -> Passages:
        """Return where the passages lie."""
        part = self.folder / self.part
        return Passages(part / "documents.jsonl", [part / "vectors"], part / "tokenizer.json")

    def place_of(self, model: NamedModel) -> Path:
        """Return where a model that the index names should lie."""
        return Path(os.path.normpath(self.folder.absolute() / model.path))

    def folder_of(self, model: NamedModel) -> Path:
        """Return the folder of a model that the index names; refuse one that is gone or has changed."""
        folder = self.place_of(model)
        hint = "bring the model back, or build the index again; --model FOLDER names a model that lies elsewhere"
        if not (folder / "config.json").is_file():
            raise DataError(f"the model of {self.folder} is not there", where=folder, hint=hint)
        if content_hash(folder) != model.digest:
            raise DataError(f"the model has changed since {self.folder} was built", where=folder, hint=hint)
        return folder

    def query_model(self, lang: str = "", method: str = "", seed: int = 0) -> Path:
        """Return the folder of the model that reads queries of a language: beside the model of the index.

        Args:
            lang: "" for the language of the index's own model; English is read by the model that read the passages.
            method: how the student was trained; "" for the method of the index's model.
            seed: of the student; 0 for the seed of the index's model.

        Raises:
            DataError: there is no such model.
        """
        own = self.place_of(self.model)
        origin = origin_of(own)
        asked = (lang or origin.lang, method or origin.method or "optical", str(seed or origin.seed or 1))
        if not (lang or method or seed) or asked == origin[:3]:
            return self.folder_of(self.model)
        if lang == "en" or method == "zero-shot":
            return self.folder_of(self.reader)
        results = origin.results or (own.parent if own.name == "teacher" else None)
        if results is None or not asked[0]:
            what = f"beside the model of this index there is none for {lang or 'this language'}"
            raise DataError(what, where=self.folder, hint="name it by --model FOLDER")
        return query_model(results, *asked)

    def query_models(self) -> dict[str, Path]:
        """Return the models that read queries of a language, beside the model of the index and trained as it was.

        English is read by the model that read the passages. Where the index's model has no language, it is "".
        """
        own = self.place_of(self.model)
        origin = origin_of(own)
        if origin.results is None:
            return {"": self.folder_of(self.model)}
        found = origin.results.glob(f"students/*/{origin.method}/{origin.seed}/config.json")
        langs = sorted(path.parents[2].name for path in found)
        return {lang: self.query_model(lang) for lang in [origin.lang, *langs, "en"]}

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
    form = description.pop("format", None) if isinstance(description, dict) else None
    if form != FORMAT:
        what = f"an index of version {form}; this program reads version {FORMAT}"
        raise DataError(what, where=folder, hint="build it again: optical index build")
    try:
        reader, model = (NamedModel(**description.pop(key)) for key in ("reader", "model"))
        return Index(folder, reader=reader, model=model, **description)
    except (KeyError, TypeError) as error:
        raise DataError("a damaged index", where=folder / DESCRIPTION, hint="build it again") from error


def build_index(
    folder: str | Path, documents: Iterable[Document], encoder: Encoder, reader: str | Path, model: str | Path
) -> Index:
    """Encode passages and write an index, which takes the place of one that is there.

    Args:
        folder: of the index.
        documents: the passages; each has an id of its own without white space, and a text.
        encoder: reads the passages.
        reader: folder of the encoder.
        model: folder of the model that reads queries.

    Raises:
        DataError: a passage lacks an id or a text, an id is there twice, or the folder holds something else.
    """
    folder = Path(folder)
    _check_place(folder)
    part = f"{PART}{secrets.token_hex(4)}"
    with atomic_folder(folder / part) as temporary:
        write_jsonl(temporary / "documents.jsonl", checked_documents(documents))
        reader_digest = content_hash(reader)
        passages = read_jsonl(temporary / "documents.jsonl")
        size = encode_documents(encoder, passages, DOCUMENT, temporary / "vectors", made_by=reader_digest)
        if not size:
            raise DataError("no passages", where=folder, hint="give one at least")
        encoder.tokeniser.save(str(temporary / "tokenizer.json"))
    named = NamedModel(_path_from(folder, reader), reader_digest)
    asked = NamedModel(_path_from(folder, model), content_hash(model))
    index = Index(folder, part, size, named, asked)
    description = asdict(index) | {"format": FORMAT}
    del description["folder"]
    write_json(folder / DESCRIPTION, description)
    for old in folder.iterdir():
        if old.name not in (part, DESCRIPTION) and _is_part(old):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    return index


def _check_place(folder: Path) -> None:
    """Refuse a folder that holds anything but an index, or what a killed process left of one."""
    if folder.exists() and not is_index(folder):
        others = [path for path in folder.iterdir() if not _is_part(path)] if folder.is_dir() else [folder]
        if others:
            raise DataError("there is something else", where=others[0], hint="name a new folder for the index")


def _is_part(path: Path) -> bool:
    return path.name.lstrip(".").startswith(PART) or path.name.startswith(f".{DESCRIPTION}")


def _path_from(folder: Path, model: str | Path) -> str:
    return os.path.relpath(trained_model(str(model)).resolve(), folder.resolve())


def cached_index(passages: str | Path, reader: str | Path) -> Path:
    """Return where the index of a file of passages is kept, by the contents of the file and of the model that reads it.

    That is below XDG_CACHE_HOME, or ~/.cache where this is not set.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "optical" / f"{content_hash(passages)}-{content_hash(reader)}"
