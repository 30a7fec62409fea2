"""Names and facts of the bundled collection, all from Unicode CLDR (through Babel), without a network.

A fact is a kind and the codes that fill its slots, e.g. `currency` with T=KE (territory) and C=KES. A name exists in a
language only where that language's own CLDR file has it; what CLDR would fall back to is no translation.
"""

import pickle
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale, localedata
from babel.core import get_global

LOCALES = {"en": "en", "sw": "sw", "so": "so", "tl": "fil", "mr": "mr", "fi": "fi", "de": "de", "fr": "fr"}
LANGUAGES = tuple(LOCALES)

# The first part of a time-zone identifier -> the CLDR territory code of that part of the world.
CONTINENTS = {"Africa": "002", "America": "019", "Asia": "142", "Europe": "150", "Pacific": "009", "Australia": "009"}

NUMBER_SLOTS = frozenset("PY")
DIGITS = {"latn": "0123456789", "deva": "०१२३४५६७८९"}  # by CLDR numbering system
UNWANTED = re.compile(r"[(),;:\d]")  # "Myanmar (Burma)", "pound (1914-1976)": no part of a running sentence
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f"))
MIN_PERCENT = 2


@dataclass(frozen=True)
class Fact:
    """A kind and its slots with their codes, e.g. `Fact("currency", (("T", "KE"), ("C", "KES")))`."""

    kind: str
    slots: tuple[tuple[str, str], ...]

    def value(self, slot: str) -> str | None:
        """Return the code in a slot, None where the fact has no such slot."""
        return next((code for name, code in self.slots if name == slot), None)

    def code(self, slot: str) -> str:
        """Return the code in a slot that the fact has."""
        return dict(self.slots)[slot]


def fact(kind: str, **slots: str) -> Fact:
    """Make a fact.

    >>> fact("currency", T="KE", C="KES").value("C")
    'KES'
    """
    return Fact(kind, tuple(slots.items()))


@cache
def names_of(lang: str) -> dict[tuple[str, str], str]:
    """Return {(slot, code): name} of a language: its own CLDR names only, NFC, none that stands for two things.

    >>> names_of("sw")["T", "DE"], names_of("mr")["D", "0"], ("N", "Africa/Nairobi") in names_of("sw")
    ('Ujerumani', 'सोमवार', False)
    """
    locale = _own_data(LOCALES[lang])
    tables = {
        "T": {code: name for code, name in locale["territories"].items() if not code.isdigit()},
        "K": {code: locale["territories"].get(code) for code in CONTINENTS.values()},
        "L": locale["languages"],
        "S": locale["scripts"],
        "C": locale["currency_names"],
        "D": _calendar(locale["days"]),
        "M": _calendar(locale["months"]),
        "Z": {code: forms.get("long", {}).get("standard") for code, forms in locale["meta_zones"].items()},
        "N": _cities(lang, locale),
    }
    names: dict[tuple[str, str], str] = {}
    for slot, table in tables.items():
        tidy = {code: _tidy(name) for code, name in table.items() if isinstance(name, str)}
        uses = Counter(name.casefold() for name in tidy.values())
        names |= {(slot, code): name for code, name in tidy.items() if uses[name.casefold()] == 1 and _usable(name)}
    aliases = {"O": "C", "D2": "D", "M2": "M"}  # former currencies, next days and months have the same names
    for alias, slot in aliases.items():
        names |= {(alias, code): name for (of, code), name in names.items() if of == slot}
    return names


def name_in(lang: str, slot: str, code: str) -> str | None:
    """Return the name of a code, or a number in the language's own digits; None where CLDR has no name.

    >>> name_in("mr", "P", "42"), name_in("fi", "L", "sw"), name_in("so", "T", "XX")
    ('४२', 'swahili', None)
    """
    if slot in NUMBER_SLOTS:
        return code.translate(_digits(lang))
    return names_of(lang).get((slot, code))


@cache
def _digits(lang: str) -> dict[int, int]:
    return str.maketrans(DIGITS["latn"], DIGITS[Locale(LOCALES[lang]).default_numbering_system])


def _own_data(identifier: str) -> Any:
    """Read one locale's file without what it inherits.

    `babel.localedata.load(..., merge_inherited=False)` would leave the bare file in Babel's cache, for everybody.
    """
    return pickle.loads(resources.files("babel").joinpath("locale-data", f"{identifier}.dat").read_bytes())


def _tidy(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name.translate(INVISIBLE)).split())


def _usable(name: str) -> bool:
    return bool(name) and not UNWANTED.search(name)


def _calendar(table: Mapping[str, Any]) -> dict[str, str]:
    """Take the stand-alone (nominative) names; a locale without them says that its other names serve for both."""
    wide: dict[Any, str] = {}
    for context in ("format", "stand-alone"):
        part = table.get(context)
        entries = part.get("wide") if isinstance(part, dict) else None
        wide |= entries if isinstance(entries, dict) else {}
    return {str(number): name for number, name in wide.items()}


def _cities(lang: str, locale: Mapping[str, Any]) -> dict[str, str]:
    """Take exemplar cities; in English CLDR derives the unlisted ones from the zone identifier."""
    listed = {zone: entry.get("city") for zone, entry in locale["time_zones"].items()}
    if lang != "en":
        return listed
    derived = {zone: zone.rsplit("/", 1)[-1].replace("_", " ") for zone in get_global("zone_territories")}
    return derived | {zone: city for zone, city in listed.items() if city}


@cache
def all_facts() -> tuple[Fact, ...]:
    """Return every fact whose names English has, in a fixed order.

    >>> fact("currency", T="KE", C="KES") in all_facts(), fact("script", L="mr", S="Deva") in all_facts()
    (True, True)
    """
    territories = sorted(
        code for slot, code in names_of("en") if slot == "T" and code in get_global("territory_languages")
    )
    facts = [item for code in territories for item in _facts_about(code)]
    spoken = sorted({item.code("L") for item in facts if item.kind == "speaks"})
    tags = get_global("likely_subtags")
    facts += [fact("script", L=code, S=tags[code].split("_")[1]) for code in spoken if code in tags]
    facts += [fact("day", D=str(day), D2=str((day + 1) % 7)) for day in range(7)]
    facts += [fact("month", M=str(month), M2=str(month % 12 + 1)) for month in range(1, 13)]
    facts += [fact("number", P=str(number)) for number in range(2, 31)]
    return tuple(item for item in dict.fromkeys(facts) if has_names(item, ["en"]))


def has_names(item: Fact, langs: list[str], slots: set[str] | None = None) -> bool:
    """Return whether every language has a name for every slot (or for the given slots) of a fact."""
    return all(
        name_in(lang, slot, code) is not None
        for slot, code in item.slots
        if slots is None or slot in slots
        for lang in langs
    )


def _facts_about(territory: str) -> list[Fact]:
    facts = []
    for code, start, end, tender in get_global("territory_currencies").get(territory, []):
        if not tender:
            continue
        if end is None:
            facts.append(fact("currency", T=territory, C=code))
            facts += [fact("since", T=territory, C=code, Y=str(start[0]))] if start else []
        elif end[0] > 1900:
            facts.append(fact("old", T=territory, O=code, Y=str(end[0])))
    for code, entry in get_global("territory_languages")[territory].items():
        percent = round(entry["population_percent"])
        if MIN_PERCENT <= percent <= 100:
            facts.append(fact("speaks", T=territory, L=code, P=str(percent)))
        if entry["official_status"] in ("official", "de_facto_official"):
            facts.append(fact("official", T=territory, L=code))
    zones = get_global("territory_zones").get(territory, [])
    now = {get_global("meta_zones")[zone] for zone in zones if zone in get_global("meta_zones")}
    facts += [fact("zone", T=territory, Z=zone) for zone in sorted(now)]
    parts = {CONTINENTS.get(zone.split("/")[0]) for zone in zones}
    part = parts.pop() if len(parts) == 1 else None
    if part is not None:
        facts.append(fact("continent", T=territory, K=part))
    facts += [fact("city", T=territory, N=zone) for zone in zones]
    if territory in _first_days():
        facts.append(fact("week", T=territory, D=_first_days()[territory]))
    return facts


@cache
def _first_days() -> dict[str, str]:
    """Return {territory: number of the week's first day, Monday is 0} where CLDR states it for the territory itself."""
    days = {}
    for identifier in sorted(localedata.locale_identifiers()):
        regions = [part for part in identifier.split("_")[1:] if len(part) == 2 and part.isupper()]
        if regions:
            first = _own_data(identifier).get("week_data", {}).get("first_day")
            if first is not None:
                days[regions[0]] = str(first)
    return days


@cache
def prominence(slot: str, code: str) -> int:
    """Return how often CLDR's facts mention an entity, a measure of how prominent it is.

    >>> prominence("L", "en") > prominence("L", "sw") > prominence("L", "fj")
    True
    """
    return _mentions()[slot, code]


@cache
def _mentions() -> Counter:
    return Counter(pair for item in all_facts() for pair in item.slots)
