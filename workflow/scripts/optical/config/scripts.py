"""The scripts that letters can be told by."""

from optical.config.names import nearest

# ISO 15924 code -> the first word of the Unicode names of the script's letters.
SCRIPT_WORDS = {
    "Arab": "ARABIC",
    "Armn": "ARMENIAN",
    "Beng": "BENGALI",
    "Cyrl": "CYRILLIC",
    "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC",
    "Geor": "GEORGIAN",
    "Grek": "GREEK",
    "Gujr": "GUJARATI",
    "Guru": "GURMUKHI",
    "Hang": "HANGUL",
    "Hani": "CJK",
    "Hebr": "HEBREW",
    "Khmr": "KHMER",
    "Knda": "KANNADA",
    "Laoo": "LAO",
    "Latn": "LATIN",
    "Mlym": "MALAYALAM",
    "Mymr": "MYANMAR",
    "Orya": "ORIYA",
    "Sinh": "SINHALA",
    "Taml": "TAMIL",
    "Telu": "TELUGU",
    "Thai": "THAI",
}


def script_hint(script: str) -> str:
    """Return what to write in place of an unknown script.

    >>> script_hint("Latin")
    'give an ISO 15924 code; did you mean Latn?'
    """
    return f"give an ISO 15924 code; {nearest(script, SCRIPT_WORDS)}"
