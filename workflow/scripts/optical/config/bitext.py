"""The blocks of sentence pairs: `bitext`, `bitext_cleaning` and `word_alignment`."""

from typing import Annotated, Literal

from annotated_types import Ge, Len
from pydantic import model_validator

from optical.config.base import AtLeastZero, Count, File, Flag, Numeric, Refused, Settings, Share

WAYS = "give {pairs: FILE}, {english: FILE, foreign: FILE}, {moses: FILE.zip}, {tmx: FILE} or {mtop: FILE}"


class BitextSource(Settings):
    """Where sentence pairs come from: one file, or two whose lines translate each other."""

    name: str | None = None
    """name in the report; null for the source's number"""

    pairs: File | None = None
    """one file: english<TAB>foreign, or CSV or JSON Lines with both languages"""

    english: File | None = None
    """English side of two line-aligned files"""

    foreign: File | None = None
    """foreign side of two line-aligned files"""

    moses: File | None = None
    """zip with two line-aligned files, as OPUS has them"""

    tmx: File | None = None
    """TMX file, in a zip or not"""

    mtop: File | None = None
    """parallel utterances of MTOP"""

    english_side: str = "en"
    """mtop: the language that takes the place of English"""

    columns: Annotated[list[str], Len(2, 2)] | None = None
    """csv and jsonl: names of the English and of the foreign column; null to find them by the languages' names"""

    documents: File | None = None
    """file with the document of each line; reports name lines by it"""

    format: Literal["tsv", "csv", "jsonl", "lines", "vref", "moses", "tmx", "mtop"] | None = None
    """form of the files; null to infer it from suffix and keys"""

    check_alignment: Flag = True
    """false for a source whose rows are known to be aligned"""

    limit: Count | None = None
    """read only so many pairs; null for all"""

    licence: str | None = None
    """licence for the report; null for that of config/datasets.tsv"""

    @model_validator(mode="after")
    def _has_files(self) -> "BitextSource":
        if not any((self.pairs, self.english and self.foreign, self.moses, self.tmx, self.mtop)):
            raise Refused("no file of sentence pairs is given", WAYS)
        return self


class BitextCleaning(Settings):
    """Which pairs are kept; `report.json` counts the others by reason."""

    dev_pairs: AtLeastZero = 50
    """pairs held out for development"""

    train_pairs: AtLeastZero | None = None
    """number of pairs to keep, the same ones for languages that share the English side; null for all"""

    exclude: list[str] = []
    """files of evaluation texts; pairs with one of their lines are dropped"""

    check_alignment: Flag = True
    """find rows whose sides are not translations of each other"""

    repair: Literal["drop", "shift"] = "drop"
    """what to do with rows that are shifted by up to three: drop them, or realign them"""

    maximum_words: Count = 150
    """maximum number of words per sentence"""

    maximum_characters: Count = 1000
    """maximum number of characters per sentence"""

    maximum_length_ratio: Annotated[float, Ge(1), Numeric] = 3.0
    """largest ratio of the longer side to the shorter"""

    minimum_letters: Share = 0.5
    """smallest share of letters in a side"""

    minimum_script: Share = 0.5
    """smallest share of a side's letters that are of the language's script"""

    seed: AtLeastZero = 1
    """decides which pairs are held out"""


class WordAlignment(Settings):
    """The word aligner behind `smt`, the dictionaries of code-switching and a trained translator's guidance."""

    aligner: Literal["ibm2", "eflomal"] = "ibm2"
    """IBM model 2, or eflomal, which needs the command eflomal-align"""

    symmetrise: Literal["grow-diag-final-and", "intersect", "union"] = "grow-diag-final-and"
    """how to combine the alignments of both directions"""

    iterations: Count = 8
    """iterations of ibm2"""
