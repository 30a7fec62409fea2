"""The README of an exported model, written from its records: provenance, the bitext's report, scores."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from optical.errors import DataError
from optical.evaluation.scores import read_scores

TEXTS = """queries = ["Durban", "Lake Victoria, Durban"]  # {language}
passages = ["Durban is a city.", "The Nile flows through eleven countries of Africa, from Lake Victoria to the sea."]
"""
# How each export is used: the program, its imports, and after an empty line the code that reads TEXTS.
USE = {
    "pylate": {
        "PyLate": """from pylate import models, scores

query_encoder = models.ColBERT(f"{folder}/query", device="cpu")
document_encoder = models.ColBERT(f"{folder}/document", device="cpu")
query_vectors = query_encoder.encode(queries, is_query=True)
passage_vectors = document_encoder.encode(passages, is_query=False)
for query in query_vectors:
    print([scores.colbert_scores(query[None], passage[None]).item() for passage in passage_vectors])
""",
        "sentence-transformers": """from sentence_transformers import MultiVectorEncoder

query_encoder = MultiVectorEncoder(f"{folder}/query", device="cpu")
document_encoder = MultiVectorEncoder(f"{folder}/document", device="cpu")
query_vectors = query_encoder.encode_query(queries)
passage_vectors = document_encoder.encode_document(passages)
for row in query_encoder.similarity(query_vectors, passage_vectors).tolist():
    print(row)
""",
    },
    "stanford": {
        "Stanford ColBERT": """from colbert.infra import ColBERTConfig
from colbert.modeling.checkpoint import Checkpoint

query_vectors = Checkpoint(f"{folder}/query", ColBERTConfig()).queryFromText(queries)
passage_vectors = Checkpoint(f"{folder}/document", ColBERTConfig()).docFromText(passages, keep_dims=False)
for query in query_vectors:
    print([(query @ passage.float().T).max(dim=1).values.sum().item() for passage in passage_vectors])
""",
    },
    "onnx": {
        "ONNX Runtime": """import json
import numpy, onnxruntime, tokenizers

framing = json.load(open(f"{folder}/query/framing.json"))
tokeniser = tokenizers.Tokenizer.from_file(f"{folder}/query/tokenizer.json")
session = onnxruntime.InferenceSession(f"{folder}/query/model.onnx")
for query in queries:
    ids = tokeniser.encode(query, add_special_tokens=False).ids
    ids = framing["before"] + ids[: framing["query_length"] - len(framing["before"]) - 1] + framing["after"]
    inputs = {"input_ids": numpy.array([ids]), "attention_mask": numpy.ones((1, len(ids)), dtype=numpy.int64)}
    (vectors,) = session.run(None, inputs)  # 1, tokens, dimensions
    print(vectors.shape)
""",
    },
}

EXPANSION = {
    ("stanford", False): "The model was trained without query expansion. The Stanford code leaves [MASK] out of the "
    "scores here because the checkpoint names it as the padding token; in PyLate say `do_query_expansion=False`.",
    ("onnx", True): "Queries are filled up with `mask_id` to `query_length`; the mask is 1 there only where "
    "`attend_to_expansion` says so.",
}


def plain(text: object) -> str:
    """Return a name as Markdown shows it, in a table as elsewhere.

    >>> print(plain("a|b [x](y) <i> _c_d_"))
    a\\|b \\[x\\](y) \\<i\\> \\_c_d\\_
    """
    return re.sub(r"([\\`*\[\]<>|#~$&]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(str(text).split()))


def code(text: object) -> str:
    """Return a name as code.

    >>> print(code("a`b"))
    `a'b`
    """
    return f"`{' '.join(str(text).split()).replace('`', chr(39))}`"


SETTINGS_SHOWN = ("steps", "batch_size", "learning_rate", "seed")

Record = Mapping[str, Any]  # a JSON file that the workflow wrote: provenance.json, or report.json of the bitext


class MeanScore(NamedTuple):
    """The mean of a measure over the queries of a collection, and the number of queries."""

    collection: str
    measure: str
    mean: float
    queries: int


def model_card(
    form: str,
    student: Mapping[str, object],
    lang: str,
    method: str,
    provenance: Mapping[str, Record],
    bitext: Record | None,
    scores: Sequence[MeanScore],
    repository: str = "",
) -> str:
    """Return the Markdown of the card.

    Args:
        form: the export's format.
        student: its encoder settings, as a mapping.
        lang: of the queries; "" where unknown.
        method: "" where unknown.
        provenance: of `student` and `teacher`, empty where there is none.
        bitext: the report of the cleaned bitext.
        scores: of the model.
        repository: on the hub, from which the code takes the models; "" for the folder of the card.
    """
    # "no" is Norwegian, and false where YAML has it without quotes
    languages = "\n".join(
        f'- "{name}"' if name == "no" else f"- {name}" for name in dict.fromkeys((lang or "und", "en"))
    )
    parts = [
        f"---\nlanguage:\n{languages}\npipeline_tag: sentence-similarity\n"
        "tags:\n- ColBERT\n- PyLate\n- sentence-transformers\n- late-interaction\n- cross-lingual-retrieval\n---",
        f"# {_title(lang, method)}",
        "Token vectors for cross-lingual retrieval: the query encoder reads "
        f"{f'queries in {code(lang)}' if lang else 'queries in the language it was distilled for'}, the document "
        "encoder (the teacher) reads English documents. A document's score is the sum, over the query's tokens, of the "
        "largest inner product with one of its tokens (MaxSim).",
        "## Use\n\n" + _use(form, bool(student["query_expansion"]), lang, repository),
        "## Training\n\n" + _training(provenance, method),
        "## Data\n\n" + _data(bitext),
        "## Scores\n\n" + _scores(scores),
        "## Limits\n\n" + _limits(student, lang),
    ]
    return "\n\n".join(parts)


def _use(form: str, expansion: bool, lang: str, repository: str) -> str:
    """Return a block of code for each program that reads the export; each can be copied as it is."""
    fetch = "from huggingface_hub import snapshot_download\n" if repository else ""
    folder = f'folder = snapshot_download("{repository}")' if repository else 'folder = "."  # where this page lies'
    texts = TEXTS.format(language=f"in {lang}" if lang else "in the language of the model")
    blocks = []
    for name, text in USE[form].items():
        imports, _, body = text.partition("\n\n")
        blocks.append(f"With {name}:\n\n```python\n{fetch}{imports}\n\n{folder}\n{texts}\n{body}```")
    return "\n\n".join([*blocks, *filter(None, [EXPANSION.get((form, expansion))])])


def _title(lang: str, method: str) -> str:
    return " ".join(
        part for part in ("Query encoder", lang and f"for {plain(lang)},", method and f"method {plain(method)}") if part
    )


def _training(provenance: Mapping[str, Record], method: str) -> str:
    lines = [f"Distilled by the method {code(method)}." if method else "The method is not recorded."]
    for name, record in provenance.items():
        if not record:
            lines.append(f"- {name}: no provenance.json, so how it was trained is not known")
            continue
        settings = record.get("settings", {})
        known = (f"{key} {plain(settings[key])}" for key in SETTINGS_SHOWN if key in settings)
        machine = record.get("machine", {}).get("device", "unknown machine")
        lines.append(
            f"- {name}: {', '.join(known) or 'settings in provenance.json'}; "
            f"{plain(record.get('wall_seconds', '?'))} s on {plain(machine)}; "
            f"code {plain(record.get('git_commit', 'unknown'))[:12]}"
        )
        for key in ("objectives", "transport"):
            chosen = {item: value for item, value in (settings.get(key) or {}).items() if value is not None}
            lines += [f"- {name}'s {key}: {code(chosen)}"] if chosen else []
    return "\n".join([*lines[:1], "", *lines[1:], "", "All settings and checksums: `*/provenance.json`."])


def _data(bitext: Record | None) -> str:
    if not bitext:
        return (
            "Not recorded: no report of the sentence pairs was at hand. Ask for their licences before you share this."
        )
    sources = ((source["name"], source["kept"], source.get("licence", "not stated")) for source in bitext["sources"])
    rows = [f"| {plain(name)} | {plain(kept)} | {plain(licence)} |" for name, kept, licence in sources]
    return "\n".join(
        [
            f"{plain(bitext['train'])} sentence pairs for distillation. If you share this model, respect the licences.",
            "",
            "| source | pairs kept | licence |",
            "| --- | ---: | --- |",
            *rows,
        ]
    )


def _scores(scores: Sequence[MeanScore]) -> str:
    if not scores:
        return "None given."
    rows = [
        f"| {plain(score.collection)} | {plain(score.measure)} | {score.mean:.4f} | {score.queries} |"
        for score in scores
    ]
    return "\n".join(["| collection | measure | mean | queries |", "| --- | --- | ---: | ---: |", *rows])


def _limits(student: Mapping[str, object], lang: str) -> str:
    return "\n".join(
        [
            f"- Queries are cut after {student['query_length']} tokens, documents after {student['document_length']}, "
            "markers and special tokens included.",
            f"- Only {f'{code(lang)} queries' if lang else 'queries of its language'} against English documents were "
            "trained; other pairs may not work at all.",
            "- The query encoder belongs to this document encoder; vectors of another one cannot be compared with it.",
            "- Scores say how a model ranks a test collection. They do not say that what it finds is true, and it "
            "repeats the leanings of its training data.",
        ]
    )


def scores_of_model(path: str | Path, lang: str, method: str, seed: str) -> list[MeanScore]:
    """Return the mean scores of one model.

    Args:
        path: a table of scores.
        lang: of the model's queries; "" where it is not known.
        method: of the model; "" where it is not known.
        seed: of the model; "" where it is not known.
    Raises:
        DataError: the table has no scores of the model, lacks columns, or has scores of several models.
    """
    per_query: dict[tuple[str, str], list[float]] = defaultdict(list)
    model = {"lang": lang, "method": method, "seed": seed}
    wanted = {key: name for key, name in model.items() if name}
    seen: dict[str, set[str]] = {key: set() for key in model}
    for score in read_scores([path]):
        if all(getattr(score, key) == name for key, name in wanted.items()):
            per_query[score.collection, score.measure].append(score.value)
            for key, names in seen.items():
                names.add(getattr(score, key))
    if not per_query:
        what = " ".join(f"{key}={name}" for key, name in wanted.items())
        raise DataError(f"no scores of {what}", where=path, hint="give the scores of this model")
    for key, names in seen.items():
        if len(names) > 1:
            what = f"scores of more than one {key}: {', '.join(sorted(names))}"
            raise DataError(what, where=path, hint="leave only the rows of this model in the table")
    return [MeanScore(*key, fmean(scores), len(scores)) for key, scores in per_query.items()]
