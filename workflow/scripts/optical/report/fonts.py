"""Fonts that draw every script of the project's languages, in pictures and in pages.

Matplotlib shapes complex scripts from 3.11 on; what it needs is a font. The one for Devanagari comes as a Python
package (`fontpkg-noto-sans-devanagari`, SIL Open Font License); other scripts take a font that the machine has.
"""

import base64
import importlib.util
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = "fontpkg_noto_sans_devanagari"
# Tried in this order for each sign; the first is matplotlib's own and always there.
FAMILIES = (
    "DejaVu Sans",
    "Noto Sans Devanagari",
    "Lohit Devanagari",
    "Noto Sans",
    "Noto Sans Ethiopic",
    "Noto Sans Thai",
    "FreeSans",
)


def packaged_fonts() -> list[Path]:
    """Return the font files of the font package, none where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations or [] if spec else []
    return [path for folder in folders for path in sorted(Path(folder, "files").glob("*.ttf"))]


@cache
def families() -> tuple[str, ...]:
    """Register the packaged fonts with matplotlib, and return the names of the fonts to use."""
    from matplotlib import font_manager

    for path in packaged_fonts():
        font_manager.fontManager.addfont(path)
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in FAMILIES if name in installed)


@cache
def signs_of(path: Path) -> frozenset[int]:
    """Return the code points that a font has a glyph for."""
    from fontTools.ttLib import TTFont

    with TTFont(path) as font:
        return frozenset(font.getBestCmap() or ())


def style_sheet(text: str) -> str:
    """Return CSS with the non-Latin characters of `text`, so that a page does not depend on the reader's fonts.

    Each packaged font is cut down to these signs and what shaping makes of them, at its usual weight and width.
    """
    rules = []
    for path in packaged_fonts():
        wanted = sorted(sign for sign in set(map(ord, text)) & signs_of(path) if sign > 0x24F)
        if wanted:
            data = base64.b64encode(_cut_down(path, wanted)).decode()
            rules.append(
                f'@font-face {{ font-family: "Report {path.stem.split("[")[0]}"; '
                f"src: url(data:font/woff;base64,{data}) format('woff'); }}"
            )
    return "\n".join(rules)


def page_families() -> str:
    """Return the CSS list of families of `style_sheet`, to be put before the reader's own fonts."""
    return ", ".join(f'"Report {path.stem.split("[")[0]}"' for path in packaged_fonts())


def _cut_down(path: Path, signs: Iterable[int]) -> bytes:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    font = TTFont(path, recalcTimestamp=False)
    if "fvar" in font:
        instantiateVariableFont(font, {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}, inplace=True)
    subsetter = Subsetter(Options(layout_features=["*"], notdef_outline=True))
    subsetter.populate(unicodes=[*signs, 0x20, 0x200C, 0x200D, 0x25CC])
    subsetter.subset(font)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()
