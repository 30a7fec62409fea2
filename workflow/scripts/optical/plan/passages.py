"""Collections with passages in several languages: each is also a collection of the passages in each language alone."""

from optical.config.collections import CollectionBlock
from optical.config.experiment import Config
from optical.errors import ConfigError


def names_by_language(name: str, block: CollectionBlock) -> dict[str, str]:
    """Return the collections of a collection's passages in each language, by language; none where it has one language.

    >>> from optical.config.collections import read_collection
    >>> files = {"documents": "{lang}.jsonl", "queries": "{lang}.tsv", "qrels": "qrels.txt"}
    >>> names_by_language("mine", read_collection({"reader": "plain", "passage_languages": ["en", "sw"], **files}))
    {'en': 'mine-en', 'sw': 'mine-sw'}
    """
    langs = block.passage_languages
    return {lang: f"{name}-{lang}" for lang in langs} if len(langs) > 1 else {}


def with_each_language(config: Config) -> Config:
    """Return a config with a collection for each language of the passages, where a collection has several.

    In `collections` they stand before the one that they are made of.

    Raises:
        ConfigError: the table has another collection of that name.
    """
    table, parts = dict(config.collection_table), {}
    for name, block in config.collection_table.items():
        parts[name] = names_by_language(name, block)
        for lang, part in parts[name].items():
            if part in config.collection_table:
                what = f"this is the name of the passages of {name} in {lang}"
                raise ConfigError(what, where=f"collection_table.{part}", hint="give one of the two another name")
            table[part] = block.changed(passage_languages=[lang])
    names = [each for name in config.collections for each in [*parts.get(name, {}).values(), name]]
    return config.model_copy(update={"collection_table": table, "collections": names})
