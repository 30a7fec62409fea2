"""Small files of invented texts, and what readers made of them."""

import json


def write_jsonl(path, rows):
    """Write rows as JSON Lines and return the path as text."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def write_lines(path, lines):
    """Write lines and return the path as text."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def documents_of(folder):
    """Return the documents of a prepared collection or training set."""
    return [json.loads(line) for line in (folder / "documents.jsonl").open()]


def rows_of(path):
    """Return the columns of each line of a TSV file."""
    return [line.split("\t") for line in path.read_text().splitlines()]
