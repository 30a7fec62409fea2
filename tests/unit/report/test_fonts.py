"""Fonts for every script, and only the signs that a page shows."""

from optical.report.fonts import packaged_fonts, signs_of, style_sheet


def test_devanagari_is_drawn_and_shaped():
    """A conjunct is one glyph where letters and a virama go in; without shaping there would be a glyph a letter."""
    from matplotlib import font_manager

    (path,) = packaged_fonts()
    font = font_manager.get_font(str(path))
    font.set_text("क्ष")
    assert font.get_num_glyphs() > 0
    assert {ord(sign) for sign in "क्षमराठी"} <= signs_of(path)
    width = font.get_width_height()[0]
    font.set_text("क")
    assert width < 2.2 * font.get_width_height()[0]


def test_a_page_brings_only_the_signs_it_shows():
    assert style_sheet("plain English") == ""
    few, many = style_sheet("मराठी"), style_sheet("".join(map(chr, range(0x900, 0x980))))
    assert few.startswith("@font-face")
    assert len(few) < len(many) < 400_000
