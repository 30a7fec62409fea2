"""The scripts that a language may have: ISO 15924 codes. `optical.text.scripts` tells their letters."""

from optical.config.names import nearest

# Codes that Unicode has as scripts with letters, and codes that stand for several of these or for a style of one.
UNICODE_SCRIPTS = (
    "Adlm Aghb Ahom Arab Armi Armn Avst Bali Bamu Bass Batk Beng Berf Bhks Bopo Brah Bugi Buhd Cakm Cans Cari Cham "
    "Cher Chrs Copt Cpmn Cprt Cyrl Deva Diak Dogr Dsrt Dupl Egyp Elba Elym Ethi Gara Geor Glag Gong Gonm Goth Gran "
    "Grek Gujr Gukh Guru Hang Hani Hano Hatr Hebr Hira Hluw Hmng Hmnp Hung Ital Java Jurc Kali Kana Kawi Khar Khmr "
    "Khoj Kits Knda Krai Kthi Lana Laoo Latn Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend "
    "Merc Mero Mlym Modi Mong Mroo Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam Olck Onao Orkh Orya Osge "
    "Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur Seal Shaw Shrd Sidd Sidt "
    "Sind Sinh Sogd Sogo Sora Soyo Sund Sunu Sylo Syrc Tagb Takr Tale Talu Taml Tang Tavt Tayo Telu Tfng Tglg Thaa "
    "Thai Tibt Tirh Tnsa Todr Tols Toto Tutg Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb"
)
COMPOSED = {
    "Aran": "Arab",
    "Cyrs": "Cyrl",
    "Geok": "Geor",
    "Hanb": "Hani Bopo",
    "Hans": "Hani",
    "Hant": "Hani",
    "Hrkt": "Hira Kana",
    "Jamo": "Hang",
    "Jpan": "Hani Hira Kana",
    "Kore": "Hang Hani",
    "Latf": "Latn",
    "Latg": "Latn",
    "Syre": "Syrc",
    "Syrj": "Syrc",
    "Syrn": "Syrc",
}
# ISO 15924 code -> the scripts of Unicode that it stands for.
SCRIPTS = {script: (script,) for script in UNICODE_SCRIPTS.split()} | {
    code: tuple(of.split()) for code, of in COMPOSED.items()
}


def script_hint(script: str) -> str:
    """Return what to write in place of an unknown script.

    >>> script_hint("Latin")
    'give an ISO 15924 code such as Latn, Arab or Hans; did you mean Latn?'
    """
    return f"give an ISO 15924 code such as Latn, Arab or Hans; {nearest(script, SCRIPTS)}"
