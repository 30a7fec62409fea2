"""MTOP: parallel utterances and their intents, as a collection, as training triples and as bitext."""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from random import Random

from optical.config.collections import MtopCollection
from optical.config.training_sets import MtopTrainingSet
from optical.corpora.blocks import as_list
from optical.corpora.files import Collection, TrainingSet, comparable
from optical.corpora.json_rows import Row, read_json_rows
from optical.corpora.passages import Document
from optical.errors import DataError


class Meaning(Row):
    """The meaning of an utterance by language."""

    slot_intent: dict[str, str | None]


class Utterance(Row):
    """An utterance as XSemPLR has it: its text and its meaning by language."""

    id: str
    question: dict[str, str | None]
    mr: Meaning | None = None

    def text(self, lang: str) -> str:
        """Return the text in a language that `_mtop_rows` has looked for."""
        return self.question[lang] or ""


def read_mtop(block: MtopCollection, languages: list[str]) -> Collection:
    """Read MTOP (Li et al., EACL 2021), as XSemPLR publishes it, as retrieval of utterances.

    The documents are the utterances in `document_language`, the queries the same utterances in the others. Relevant is,
    with `relevance: parallel`, the same utterance (and any that reads the same); with `relevance: intent`, every
    utterance of the same top intent.
    """
    source = block.document_language
    rows = _mtop_rows(block.utterances, [source, *languages])
    groups: dict[str, list[str]] = defaultdict(list)
    parallel = block.relevance == "parallel"
    key_of = {row.id: row.text(source) if parallel else _top_intent(row, source, block.utterances) for row in rows}
    for utterance_id, key in key_of.items():
        groups[key].append(utterance_id)
    queries = {lang: [(row.id, row.text(lang)) for row in rows] for lang in dict.fromkeys(["en", *languages])}
    documents = [Document(id=row.id, text=row.text(source)) for row in rows]
    return Collection(documents, queries, [(q, d, 1) for q, key in key_of.items() for d in groups[key]])


def mtop_pairs(path: str, source: str, codes: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the parallel utterances of `source` and of the language that goes by one of `codes`, to serve as bitext."""
    rows = _mtop_rows(path, [source])
    target = next((code for code in rows[0].question if code in codes), None)
    if target is None:
        hint = f"its languages are {', '.join(rows[0].question)}"
        raise DataError(f"no utterances in {'/'.join(sorted(codes))}", where=path, hint=hint)
    for row in _mtop_rows(path, [source, target]):
        yield row.text(source), row.text(target)


def read_mtop_pairs(block: MtopTrainingSet) -> TrainingSet:
    """Read training triples from MTOP in one language: an utterance, one of the same intent, and one of another.

    An utterance that is alone with its intent is not a query.
    """
    language = block.language
    held_out = {
        comparable(row.text(language)) for path in as_list(block.held_out) for row in _mtop_rows(path, [language])
    }
    rows = [row for row in _mtop_rows(block.utterances, [language]) if comparable(row.text(language)) not in held_out]
    texts = {row.id: row.text(language) for row in rows}
    intents: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        intents[_top_intent(row, language, block.utterances)].append(row.id)
    random = Random(block.seed)
    triples = []
    for members in intents.values():
        others = [utterance for other in intents.values() if other is not members for utterance in other]
        for query_id in members if len(members) > 1 and others else []:
            alike = [utterance for utterance in members if utterance != query_id]
            for _ in range(block.triples_each):
                triples.append((query_id, random.choice(alike), random.choice(others)))
    documents = (Document(id=name, text=text) for name, text in texts.items())
    return TrainingSet(documents, texts.items(), triples, source=block.utterances)


def _mtop_rows(path: str, languages: list[str]) -> list[Utterance]:
    """Return the utterances of an MTOP file; every one must exist in every language asked for."""
    rows = read_json_rows(path, Utterance, "a file of MTOP")
    for row in rows:
        if missing := [lang for lang in languages if not row.question.get(lang)]:
            hint = f"its languages are {', '.join(lang for lang, text in row.question.items() if text)}"
            raise DataError(f"utterance {row.id} is not there in {missing[0]}", where=path, hint=hint)
    return rows


def _top_intent(row: Utterance, lang: str, path: str) -> str:
    """Return the outermost intent: `IN:CREATE_CALL` of `[IN:CREATE_CALL [SL:CONTACT ... ] ]`."""
    words = (row.mr.slot_intent.get(lang) or "").split() if row.mr else []
    if not words:
        raise DataError(f"utterance {row.id} has no intent in {lang}", where=path, hint="mr.slot_intent holds it")
    return words[0].removeprefix("[")
