"""The block `atlas`: sizes of the bundled collection."""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from optical.config.base import AtLeastZero, Count, NotNegative, Settings

AtlasLanguage = Literal["en", "sw", "so", "tl", "mr", "fi", "de", "fr"]


class AtlasSettings(Settings):
    """Sizes of the bundled collection; a language that a table does not name keeps its default."""

    seed: AtLeastZero = 1
    """seed of the generator"""

    documents: Count = 2000
    """English documents"""

    train_documents: Count = 2000
    """English documents that the teacher learns from; none of them is searched"""

    test_queries: Count = 180
    """test queries in every language"""

    dev_queries: Count = 100
    """development queries, on other facts"""

    train_queries: Count = 14000
    """English queries that the teacher learns from"""

    negatives: Count = 1
    """triples per training query"""

    skew: NotNegative = 0.9
    """how much more often text and bitext name prominent entities: 0 evenly, 1 in proportion"""

    query_skew: NotNegative = 2.0
    """the same for test and development queries"""

    text: dict[AtlasLanguage, AtLeastZero] = {
        "en": 8000,
        "fi": 4000,
        "de": 4000,
        "fr": 4000,
        "sw": 900,
        "tl": 800,
        "so": 600,
        "mr": 500,
    }
    """lines of pre-training text; as uneven as on the web"""

    bitext: dict[AtlasLanguage, AtLeastZero] = {
        "fi": 2500,
        "de": 2500,
        "fr": 2500,
        "sw": 500,
        "tl": 450,
        "so": 350,
        "mr": 300,
    }
    """sentence pairs; few in low-resource languages"""

    wikiclir: dict[AtlasLanguage, AtLeastZero] = {"sw": 300, "tl": 400, "fi": 1000, "de": 1000, "fr": 1000}
    """documents of a training set like WikiCLIR"""

    mmarco: dict[AtlasLanguage, AtLeastZero] = {"de": 1000, "fr": 1000}
    """training queries of a set like mMARCO"""

    @field_validator("text", "bitext", "wikiclir", "mmarco", mode="before")
    @classmethod
    def _keep_defaults(cls, sizes: object, info: ValidationInfo) -> object:
        default = cls.model_fields[str(info.field_name)].default
        return default | sizes if isinstance(sizes, dict) else sizes
