"""Show which tokens of two sentences optimal transport aligns.

example:
  optical align --model results/students/sw/optical/1 --teacher results/teacher "swali la kwanza" "the first question"

A row is a token of the foreign sentence; the darker a cell, the more of the row's mass goes to that English token.
Without further options solver and regularisation are those of the model's training; marginals are uniform.
"""

import argparse
import sys
import warnings
from pathlib import Path

from optical.cli.arguments import positive_number
from optical.cli.terminal import columns_of_terminal, pad, print_json, printable, width
from optical.errors import DataError, ResourceError
from optical.evaluation.token_alignment import Alignment, align, transport_cost, transport_settings
from optical.files import atomic_path
from optical.models.origin import check_reader, trained_model
from optical.program import add_base_argument
from optical.report.fonts import families

SHADES = " ░▒▓█"
NARROWEST = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical align`."""
    parser.add_argument("foreign", help="the sentence in the student's language")
    parser.add_argument("english", help="its translation, read by the teacher")
    parser.add_argument("--model", required=True, metavar="FOLDER", help="the student")
    parser.add_argument("--teacher", metavar="FOLDER", help="reads the English sentence; without it the model does")
    add_base_argument(parser)
    parser.add_argument("--solver", help="sinkhorn, ipot, exact or greedy; see config/README.md")
    parser.add_argument("--regularisation", type=positive_number, metavar="X", help="0.1 is soft, 0.01 is sharp")
    parser.add_argument("--special-tokens", action="store_true", help="also align [CLS], markers and [SEP]")
    parser.add_argument("--png", metavar="FILE", help="also draw it into a PNG, SVG or PDF file; needs matplotlib")
    parser.add_argument("--json", action="store_true", help="print tokens, plan and cost for programs")


def run(arguments: argparse.Namespace) -> None:
    """Align the two sentences; print the picture or JSON, and draw the file asked for."""
    from optical.models.folders import load_encoder

    if arguments.png and Path(arguments.png).suffix not in (".png", ".svg", ".pdf"):
        raise DataError("neither .png nor .svg nor .pdf", where=arguments.png, hint="give a file name with one of them")
    model = trained_model(arguments.model)
    if arguments.teacher:
        check_reader(model, arguments.teacher)
    student = load_encoder(model, base=arguments.base)
    teacher = load_encoder(arguments.teacher) if arguments.teacher else student
    settings = transport_settings(arguments.model, arguments.solver, arguments.regularisation)
    alignment = align(student, teacher, arguments.foreign, arguments.english, settings, arguments.special_tokens)
    if arguments.png:
        draw(alignment, arguments.png)
    if arguments.json:
        transport = {"solver": settings.solver, "regularisation": settings.regularisation}
        print_json(alignment._asdict() | {"transport": transport, "transport_cost": transport_cost(alignment)})
    else:
        print(printable(picture(alignment, columns_of_terminal())))


def picture(alignment: Alignment, columns: int) -> str:
    """Draw the plan with shaded cells, at most `columns` wide: English tokens on top, several panels where needed.

    >>> print(picture(Alignment(["swali"], ["the", "question"], [[0.1, 0.9]], [[1.0, 0.2]]), 60))
          the question
    swali ░░░ ████████  question 0.90
    """
    label = max(width(token) for token in alignment.foreign)
    shares = [[mass / (sum(row) or 1.0) for mass in row] for row in alignment.plan]
    widest = max(width(token) for token in alignment.english)
    room = columns - label - 8 - widest
    panels: list[list[int]] = [[]]
    used = 0
    for index, token in enumerate(alignment.english):
        needed = max(width(token), NARROWEST) + 1
        if panels[-1] and used + needed > room:
            panels.append([])
            used = 0
        panels[-1].append(index)
        used += needed
    lines = []
    for panel in panels:
        widths = {index: max(width(alignment.english[index]), NARROWEST) for index in panel}
        heads = " ".join(pad(alignment.english[index], widths[index]) for index in panel)
        lines.append(f"{' ' * label} {heads}".rstrip())
        for token, row in zip(alignment.foreign, shares, strict=True):
            cells = " ".join(_shade(row[index]) * widths[index] for index in panel)
            best = max(range(len(row)), key=row.__getitem__)
            lines.append(f"{pad(token, label, right=True)} {cells}  {alignment.english[best]} {row[best]:.2f}")
        lines.append("")
    return "\n".join(lines[:-1])


def _shade(share: float) -> str:
    return SHADES[min(int(share * 4 + 0.8), 4)]


def draw(alignment: Alignment, path: str) -> None:
    """Draw the plan as a heat map into a PNG, SVG or PDF file."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ResourceError("matplotlib is missing", where="--png", hint='pip install -e ".[report]"') from error
    with rc_context({"font.family": list(families()), "text.parse_math": False}):
        rows, columns = len(alignment.foreign), len(alignment.english)
        figure = Figure(figsize=(2 + 0.45 * columns, 1.5 + 0.35 * rows), layout="constrained")
        axes = figure.subplots()
        shares = [[mass / (sum(row) or 1.0) for mass in row] for row in alignment.plan]
        image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(columns), alignment.english, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(rows), alignment.foreign)
        figure.colorbar(image, label="share of the token's mass")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with atomic_path(path) as temporary:
                figure.savefig(temporary, dpi=150)
    if any("missing from font" in str(warning.message) for warning in caught):
        print(f"{path}: no font here has all signs; boxes stand for some. Install Noto Sans for them", file=sys.stderr)
