"""Models for other programs: a student as query encoder and its teacher as document encoder, in one folder.

- `pylate`: `query/` and `document/`, each as PyLate and sentence-transformers (MultiVectorEncoder) load it
- `stanford`: the same two as checkpoints of the Stanford ColBERT code
- `onnx`: the query encoder alone, as `query/model.onnx`

Each has a README.md: the model card.
"""

import shutil
import string
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from optical.config.model_folders import json_of
from optical.errors import ConfigError, DataError, ResourceError
from optical.files import atomic_folder, read_json, sha256_of, write_json, write_lines
from optical.models.dense import DenseEncoder
from optical.models.encoder import QUERY, Encoder
from optical.runtime.provenance import EXPORTED, files_of
from optical.seals import sha256_of_same

WEIGHTS = "model.safetensors"
ONNX_LARGEST_BYTES = 1_900_000_000  # protocol buffers end at 2 GiB: larger weights lie in a file of their own


def export(
    student: Encoder, teacher: Encoder, to: str | Path, form: str, card: str, sources: Mapping[str, Path]
) -> None:
    """Write both encoders and the model card into a folder that other programs read, all or nothing.

    Args:
        student: reads queries.
        teacher: reads documents.
        to: the folder, which must not exist yet, or be empty.
        form: a key of FORMATS.
        card: Markdown of the model card.
        sources: the folder that the model `query` or `document` was loaded from, whose origin the export keeps.

    Raises:
        ConfigError: student and teacher do not fit together.
        DataError: the folder is not empty.
    """
    if isinstance(student, DenseEncoder):
        hint = "load_encoder(FOLDER).save(TO) of optical.models.folders writes it as sentence-transformers reads it"
        raise ConfigError(
            "a model with one vector per text cannot be exported as a late-interaction model", where="export", hint=hint
        )
    if student.dimension != teacher.dimension:
        what = f"token vectors of {student.dimension} and {teacher.dimension} dimensions cannot be compared"
        raise ConfigError(what, where="export", hint="--teacher must be the model that the student was distilled from")
    to = Path(to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise DataError("already there", where=to, hint="name a new folder, or delete this one")
    encoders = {"query": student} if form == "onnx" else {"query": student, "document": teacher}
    with atomic_folder(to) as folder:
        for name, encoder in encoders.items():
            (folder / name).mkdir()
            FORMATS[form](encoder, folder / name)
            if name in sources:
                _keep_origin(sources[name], folder / name)
        write_lines(folder / "README.md", card.splitlines())


def _keep_origin(source: Path, folder: Path) -> None:
    """Copy what a model was made from, and record what differs from its folder: a student still knows its teacher."""
    if (source / "provenance.json").is_file():
        shutil.copyfile(source / "provenance.json", folder / "provenance.json")
    before = {file.relative_to(source).as_posix(): sha256_of_same(file) for file in files_of(source)}
    # a source that is an export itself stands for what it was made from
    before |= {name: record["before"] for name, record in json_of(source, EXPORTED).items()}
    before.pop(EXPORTED, None)
    now = {name: sha256_of(folder / name) if (folder / name).is_file() else "" for name in before}
    changed = {name: {"before": before[name], "now": now[name]} for name in before if now[name] != before[name]}
    if changed:
        write_json(folder / EXPORTED, changed)


def unused_weights(encoder: Encoder) -> dict[str, Tensor]:
    """Return zeros for the weights that the transformer's class has and this encoder has not: those of a pooler.

    Other programs load that class. They would make such weights up and warn of it.
    """
    from transformers import AutoModel

    with torch.device("meta"):
        whole = AutoModel.from_config(encoder.transformer.config).state_dict()
    missing = whole.keys() - encoder.transformer.state_dict().keys()
    return {name: torch.zeros(whole[name].shape) for name in sorted(missing)}


def write_pylate(encoder: Encoder, folder: Path) -> None:
    """Write a model of one side, whose prompt PyLate puts before all texts, and which loads without a warning."""
    encoder.save(folder)
    weights, settings = folder / WEIGHTS, folder / "config_sentence_transformers.json"
    if unused := unused_weights(encoder):
        save_file(load_file(weights) | unused, weights, metadata={"format": "pt"})
    if "prompts" in (saved := read_json(settings)):
        write_json(settings, saved | {"default_prompt_name": folder.name})


def write_stanford(encoder: Encoder, folder: Path) -> None:
    """Write a checkpoint of Stanford ColBERT: one weights file, and `artifact.metadata`.

    That code always fills queries up with [MASK]. For a model that was trained without, its padding token is named
    [MASK], which the code then leaves out of the scores, as it does with padding.
    """
    settings = encoder.settings
    words = settings.skip_words or []
    known = settings.query_marker and settings.document_marker and set(words) in (set(), set(string.punctuation))
    if settings.query_prompt or settings.document_prompt or not known:
        what = "the Stanford code has no prompts, no list of words to skip, and always two markers"
        raise ConfigError(what, where="export", hint="use --format pylate")
    encoder.save_transformer(folder)
    prefix = encoder.transformer.base_model_prefix
    transformer = encoder.transformer.state_dict() | unused_weights(encoder)
    weights = {f"{prefix}.{key}": value for key, value in transformer.items()}
    hidden = encoder.transformer.config.hidden_size
    weights["linear.weight"] = encoder.projection.weight if settings.dimension else torch.eye(hidden)
    weights = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    config = read_json(folder / "config.json") | {"architectures": ["HF_ColBERT"]}
    write_json(folder / "config.json", config)
    if not settings.query_expansion:
        tokens = read_json(folder / "tokenizer_config.json")
        write_json(folder / "tokenizer_config.json", tokens | {"pad_token": tokens["mask_token"]})
    write_json(
        folder / "artifact.metadata",
        {
            "query_token_id": settings.query_marker,
            "doc_token_id": settings.document_marker,
            "query_token": settings.query_marker,
            "doc_token": settings.document_marker,
            "query_maxlen": settings.query_length,
            "doc_maxlen": settings.document_length,
            "dim": encoder.dimension,
            "similarity": "cosine",
            "mask_punctuation": settings.skip_punctuation if settings.skip_words is None else bool(words),
            "attend_to_mask_tokens": settings.attend_to_expansion,
        },
    )


class PaddedEncoder(nn.Module):
    """An encoder that reads padding too, because a graph cannot have a shape for the real tokens of a batch."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.transformer, self.projection = encoder.transformer, encoder.projection
        self.transformer.set_attn_implementation("sdpa")

    def forward(self, ids_BL: Tensor, attention_BL: Tensor) -> Tensor:
        hidden_BLH = self.transformer(input_ids=ids_BL, attention_mask=attention_BL).last_hidden_state
        return nn.functional.normalize(self.projection(hidden_BLH), dim=-1)


def write_onnx(encoder: Encoder, folder: Path) -> None:
    """Write a query encoder as an ONNX graph: input_ids and attention_mask (int64, batch x tokens) to token_vectors.

    `framing.json` says which ids stand around a text's own. The document side is not written: its vectors are made
    once, by the workflow or from the `pylate` export.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ResourceError(f"{error.name} is missing", where="onnx", hint='pip install -e ".[onnx]"') from error
    encoder.eval()
    example_ids, example_attention, _ = encoder.frame([[encoder.mask_id] * 4, [encoder.mask_id] * 2], QUERY)
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    weights = sum(parameter.numel() * parameter.element_size() for parameter in encoder.parameters())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which axes of the two inputs are the same: they should be
        torch.onnx.export(
            PaddedEncoder(encoder),
            (example_ids, example_attention),
            folder / "model.onnx",
            input_names=["input_ids", "attention_mask"],
            output_names=["token_vectors"],
            dynamic_shapes={"ids_BL": sizes, "attention_BL": sizes},
            external_data=weights > ONNX_LARGEST_BYTES,
            dynamo=True,
            verbose=False,
        )
    _forget_source(folder / "model.onnx")
    encoder.tokeniser.save(str(folder / "tokenizer.json"))
    settings = encoder.settings
    write_json(
        folder / "framing.json",
        {
            "before": encoder.before(QUERY),
            "after": [encoder.sep_id],
            "query_length": settings.query_length,
            "query_expansion": settings.query_expansion,
            "attend_to_expansion": settings.attend_to_expansion,
            "pad_id": encoder.pad_id,
            "mask_id": encoder.mask_id,
            "dimension": encoder.dimension,
        },
    )


def _forget_source(path: Path) -> None:
    """Remove from an ONNX graph where in the code each node was made: lines of code with this machine's paths."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        for item in (graph, *graph.node, *graph.value_info):
            del item.metadata_props[:]
            item.doc_string = ""
        graphs += [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]
    onnx.save(model, path)


FORMATS: dict[str, Callable[[Encoder, Path], None]] = {
    "pylate": write_pylate,
    "stanford": write_stanford,
    "onnx": write_onnx,
}
