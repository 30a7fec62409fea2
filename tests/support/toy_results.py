"""A results folder as the workflow leaves it, made in seconds: random teacher and student, a few texts."""

from pathlib import Path

from support.tiny_models import TEXTS, save_encoder

DOCUMENTS = (
    *({"id": f"d{number}", "text": text} for number, text in enumerate(TEXTS)),
    {"id": "long", "title": "River", "text": "The river, the moon; the sun? " * 30},
    {"id": "unknown", "text": "☃ ☃ ☃"},
)


def make_results(folder: Path, collection: str = "atlas") -> Path:
    """Write teacher, a Swahili student with provenance, bitext report, collection and its vectors."""
    from optical.files import sha256_of, write_json, write_jsonl, write_rows
    from optical.models.encoder import DOCUMENT
    from optical.models.folders import load_encoder
    from optical.runtime.provenance import content_hash, files_of
    from optical.search.encoding import encode_documents

    teacher = save_encoder(folder / "teacher", seed=1)
    student = save_encoder(folder / "students/sw/optical/1", seed=2)
    settings = {"steps": 5, "seed": 1, "transport": {"solver": "ipot", "regularisation": 0.2, "marginals": "uniform"}}
    (teacher / "curve.tsv").write_text("step\tloss\n1\t0.5\n")
    inputs = {"teacher": {str(file.relative_to(teacher)): sha256_of(file) for file in files_of(teacher)}}
    record = {"settings": settings, "inputs": inputs, "wall_seconds": 1.5, "git_commit": "abc"}
    write_json(student / "provenance.json", record)
    sources = [{"name": "tico19", "kept": 9, "licence": "CC0"}, {"name": "bible", "kept": 1, "licence": "CC BY 4.0"}]
    write_json(folder / "bitext/sw/report.json", {"train": 10, "sources": sources})
    prepared = folder / "collections" / collection
    write_jsonl(prepared / "documents.jsonl", DOCUMENTS)
    write_rows(prepared / "queries/sw.tsv", [("q1", "swali la kwanza"), ("q2", "mto uko wapi")])
    vectors = folder / "vectors" / collection
    encode_documents(load_encoder(teacher), DOCUMENTS, DOCUMENT, vectors, made_by=content_hash(teacher))
    return folder


def student_of(results: Path) -> Path:
    """Return the folder of the student in such results."""
    return results / "students/sw/optical/1"
