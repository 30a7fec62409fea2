"""A small made-up grammar of English and a foreign language, for translators."""

import random

WHO = {"king": "mfalme", "queen": "malkia", "child": "mtoto", "bird": "ndege", "teacher": "mwalimu", "baker": "mwokaji"}
DOES = {"sees": "aona", "loves": "apenda", "carries": "abeba", "paints": "apaka"}
WHAT = {"stone": "jiwe", "river": "mto", "house": "nyumba", "tree": "mti", "bread": "mkate", "moon": "mwezi"}
LIKE = {"red": "nyekundu", "old": "zamani", "small": "dogo", "green": "kijani"}


def sentences():
    """All pairs of a made-up grammar, in a fixed random order; its adjectives follow the noun."""
    pairs = [
        (f"the {who} {does} the {like} {what}", f"{WHO[who]} {DOES[does]} {WHAT[what]} {LIKE[like]}")
        for who in WHO
        for does in DOES
        for what in WHAT
        for like in LIKE
    ]
    random.Random(5).shuffle(pairs)
    return pairs
