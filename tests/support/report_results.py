"""Invented results in the format of real ones: everything that the report reads, for seven languages, in a second.

The figures mean nothing; the sentences are real, Marathi in Devanagari among them.
"""

import math
import random
from argparse import Namespace
from pathlib import Path

from optical.evaluation.comparison import CELL_COLUMNS, Cell, compare_methods
from optical.evaluation.scores import write_scores
from optical.files import write_json, write_rows

METHODS = ("english", "bm25", "zero-shot", "mse", "greedy", "contrastive", "optical")
LEVELS = {"low": ["sw", "so", "tl", "mr"], "high": ["fi", "de", "fr"]}
LANGS = [*LEVELS["low"], *LEVELS["high"]]
SKILL = {"english": 0.9, "bm25": 0.1, "zero-shot": 0.15, "mse": 0.5, "greedy": 0.45, "contrastive": 0.6, "optical": 0.7}
MEASURES = ("AP", "RR")
NAMES = {
    "sw": "Swahili",
    "so": "Somali",
    "tl": "Tagalog",
    "mr": "Marathi",
    "fi": "Finnish",
    "de": "German",
    "fr": "French",
}
HOSTILE = "</script><script>document.title = 1</script><img src=x onerror='document.title = 2'>"
ENGLISH = "in which language does the government write ?"
SENTENCES = {
    "sw": "serikali inaandika kwa lugha ga ##ni ?",
    "so": "dowladdu luq ##addee ayay wax ku qortaa ?",
    "tl": "sa anong wika sumusulat ang pamahalaan ?",
    "mr": "देशाचे सरकार कोण ##त्या भाषे ##त लिहि ##ते ?",
    "fi": "millä kiel ##ellä hallitus kirjoittaa ?",
    "de": "in welcher sprache schreibt die regierung ?",
    "fr": "en quelle langue le gouvernement écrit - il ?",
}
TEXTS = {
    "mr": "ग्वाटेमाला या देशाचे सरकार कोणत्या भाषेत लिहिते?",
    "en": "In which language does the government of Guatemala write?",
}


def make_report_results(folder: str | Path, queries: int = 40, seeds: int = 2, methods: tuple = METHODS) -> Path:
    """Write scores, cells, queries, learning curves, alignments and what may be there besides; return the folder."""
    folder, random_ = Path(folder), random.Random(1)
    rows = list(_scores(random_, queries, seeds, methods))
    for lang in LANGS:
        write_scores(folder / f"scores/atlas/{lang}.tsv", (row for row in rows if row[2] == lang))
    cells = compare_methods(rows, "atlas", methods, LANGS, MEASURES, "optical", LEVELS, draws=200)
    write_rows(folder / "tables/atlas/map_cells.tsv", [CELL_COLUMNS, *map(_table_row, cells)])
    pairs = [
        cell
        for opponent in methods
        for cell in compare_methods(rows, "atlas", methods, LANGS, MEASURES[:1], opponent, LEVELS, draws=50)
        if cell.method != opponent
    ]
    write_rows(folder / "tables/atlas/pairs.tsv", [CELL_COLUMNS, *map(_table_row, pairs)])
    for lang in LANGS:
        write_json(folder / f"queries/atlas/{lang}.json", _described(rows, lang, queries, methods))
    for lang in ["en", *LANGS]:
        text = TEXTS.get(lang, f"Question in {lang}: <what> & “why”?")
        write_rows(
            folder / f"collections/atlas/queries/{lang}.tsv", ((f"q{n}", f"{text} ({n})") for n in range(queries))
        )
    for lang in LANGS:
        for method in ("mse", "greedy", "contrastive", "optical"):
            for seed in range(1, seeds + 1):
                _student(folder / "students" / lang / method / str(seed), random_)
                benchmark = folder / f"benchmarks/distil_student/{lang}/{method}/{seed}.tsv"
                write_rows(benchmark, [("s", "max_rss", "cpu_time"), ("12.5", "300", "12.1")])
        _alignment(folder / f"alignments/{lang}.json", lang, random_)
        source = {"name": "atlas", "read": 900, "kept": 880, "licence": "Unicode-3.0"}
        write_json(
            folder / f"bitext/{lang}/report.json", {"language": lang, "train": 830, "dev": 50, "sources": [source]}
        )
    return folder


def add_extras(folder: str | Path) -> None:
    """Write what a report shows where it is there: bitext curve, translation quality."""
    folder = Path(folder)
    curve = [
        ("", "atlas", lang, share, pairs, method, "AP", f"{SKILL[method] * (1 - math.exp(-pairs / 200)):.4f}")
        for lang in LANGS
        for method in ("mse", "optical")
        for share, pairs in ((1, 9), (3, 26), (10, 85), (30, 255), (100, 850))
    ]
    columns = ("variant", "collection", "lang", "share", "pairs", "method", "measure", "mean")
    write_rows(folder / "bitext_curve.tsv", [columns, *curve])
    write_rows(folder / "translation_table.tsv", [("lang", "method", "bleu", "chrf"), ("sw", "nmt", "12.30", "40.10")])


def _scores(random_: random.Random, queries: int, seeds: int, methods: tuple) -> list[tuple]:
    for lang in LANGS:
        level = 0.25 if lang in LEVELS["low"] else 0.0
        for method in methods:
            for seed in range(1, seeds + 1 if SKILL[method] not in (0.9, 0.1, 0.15) else 2):
                for query in range(queries):
                    skill = max(SKILL[method] - (0 if method == "english" else level), 0.02)
                    value = min(1.0, max(0.0, random_.gauss(skill, 0.25)))
                    for measure in MEASURES:
                        yield ("atlas", method, lang, str(seed), f"q{query}", measure, value)


def _student(folder: Path, random_: random.Random) -> None:
    losses = [0.3 + math.exp(-step / 30) + random_.gauss(0, 0.02) for step in range(150)]
    write_rows(folder / "curve.tsv", [("step", "loss"), *((step, f"{loss:.6g}") for step, loss in enumerate(losses))])
    settings = {"steps": 150, "batch_size": 48, "learning_rate": 0.001, "objectives": {"optimal_transport": 1.0}}
    machine = {"processor": "x86_64", "model": "Some CPU", "instructions": ["amx_bf16", "avx512_vnni"]}
    machine |= {"system": "Linux", "device": "cpu"}
    record = {"settings": settings, "machine": machine, "version": "0.1.0", "git_commit": "0" * 40, "wall_seconds": 8.1}
    write_json(folder / "provenance.json", record | {"packages": {"torch": "2.13.0", "POT": "0.9.7.post1"}})


def _alignment(path: Path, lang: str, random_: random.Random) -> None:
    foreign, english = SENTENCES[lang].split(), ENGLISH.split()
    plans = {}
    for when, sharpness in (("before", 0.5), ("after", 3.0)):
        plan = []
        for place in range(len(foreign)):
            near = [-abs(place / len(foreign) - column / len(english)) * 8 for column in range(len(english))]
            weights = [math.exp(sharpness * value + random_.gauss(0, 0.2)) for value in near]
            plan.append([weight / sum(weights) / len(foreign) for weight in weights])
        plans[when] = {"plan": plan, "transport_cost": 0.7 if when == "before" else 0.2}
    texts = {"foreign_text": SENTENCES[lang].replace(" ##", ""), "english_text": ENGLISH, "source": "held-out pair 1"}
    write_json(
        path, {"lang": lang, "method": "optical", "seed": 1, "foreign": foreign, "english": english} | texts | plans
    )


def _table_row(cell: Cell) -> list[object]:
    values = [getattr(cell, column) for column in CELL_COLUMNS]
    return ["" if isinstance(value, float) and math.isnan(value) else value for value in values]


def _described(rows: list[tuple], lang: str, queries: int, methods: tuple) -> dict:
    """Return what describe_queries.py writes: every method finds the same passages, whose texts are hostile."""
    of_method = {
        method: {
            "scores": [row[6] for row in rows if (row[1], row[2], row[3], row[5]) == (method, lang, "1", "AP")],
            "ranks": [place % 3 for place in range(queries)],
            "found": [["p1", "p2"]] * queries,
        }
        for method in methods
    }
    text = TEXTS.get(lang, f"Question in {lang}: <what> & “why”?")
    listed = [
        {"id": f"q{place}", "text": f"{text} ({place})", "english": f"{TEXTS['en']} ({place})", "relevant": ["p2"]}
        for place in range(queries)
    ]
    return {"methods": of_method, "queries": listed, "passages": {"p1": HOSTILE, "p2": "Guatemala speaks Spanish."}}


def draw_figures(folder: str | Path, methods: tuple = METHODS) -> Path:
    """Run the programs that draw on such results, as the rules do; return the folder."""
    import plot_alignment
    import plot_curves
    import plot_gap
    import plot_map
    import plot_queries
    import plot_study

    folder = Path(folder)
    common = {"measure": "AP", "methods": list(methods), "reference": "optical", "names": NAMES}
    files = {"cells": folder / "tables/atlas/map_cells.tsv", "collection": "atlas"}
    plot_map.main(Namespace(**common, **files, out=folder / "figures/atlas/map.svg"))
    plot_gap.main(Namespace(**common, **files, out=folder / "figures/atlas/gap.svg"))
    files = {"scores": sorted(folder.glob("scores/atlas/*.tsv")), "queries": folder / "collections/atlas/queries"}
    files |= {"cells": folder / "tables/atlas/map_cells.tsv"}
    files |= {"collection": "atlas", "method": "optical", "rivals": rivals_of(methods)}
    plot_queries.main(Namespace(**common, **files, out=folder / "figures/atlas/queries.svg"))
    columns = ("lang", "method", "seed")
    students = [
        dict(zip(columns, path.parts[-4:-1], strict=True)) | {"folder": path.parent}
        for path in sorted(folder.glob("students/*/*/*/curve.tsv"))
    ]
    plot_curves.main(Namespace(**common, students=students, out=folder / "figures/curves.svg"))
    for lang in LANGS:
        alignment = folder / f"alignments/{lang}.json"
        plot_alignment.main(Namespace(alignment=alignment, out=folder / f"figures/alignment/{lang}.svg"))
    curve = {"table": folder / "bitext_curve.tsv", "kind": "curve", "axis": "variant"}
    if curve["table"].is_file():
        plot_study.main(Namespace(**common, **curve, out=folder / "figures/bitext_curve.svg"))
    return folder


def rivals_of(methods: tuple) -> list[str]:
    """Return the methods that the rules compare the reference with."""
    return [method for method in methods if method not in ("optical", "english")]


def make_page(folder: str | Path, methods: tuple = METHODS) -> Path:
    """Run the program that makes the page of such results and their figures; return the page."""
    import make_report

    asked = {"results": Path(folder), "collections": {"atlas": LANGS}, "measures": list(MEASURES), "names": NAMES}
    asked |= {"methods": list(methods), "reference": "optical", "rivals": rivals_of(methods)}
    kinds = {"english": "english", "bm25": "lexical", "zero-shot": "teacher"}
    objectives = {"mse": "sentence_mse", "greedy": "greedy_mse", "optical": "optimal_transport"}
    blocks = {
        method: {"kind": kinds.get(method, "distilled"), "objectives": {objectives.get(method, method): {}}}
        for method in methods
    }
    asked |= {"settings": {"text": "</script><b>", "method_table": blocks}, "held_out": [], "passage_languages": ["en"]}
    asked |= {"note": "Its weights had 4 bits.", "english": ["english"]}
    asked |= {"figures": sorted(Path(folder).glob("figures/**/*.svg")), "cost": Path(folder) / "cost_table.tsv"}
    make_report.main(Namespace(**asked, out=Path(folder) / "report.html"))
    return Path(folder) / "report.html"
