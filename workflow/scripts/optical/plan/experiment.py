"""An experiment: one object that answers what a config means.

    experiment = Experiment.from_files("config/open.yaml")
    experiment.config.methods
    experiment.methods_for("sw")

Paths start at the project's folder. An experiment may change some keys of a parent. It then reuses every artefact of
the parent that the changes do not affect (see `owner`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from optical.config.experiment import Config
from optical.config.methods import Method
from optical.config.names import MULTILINGUAL, SHARED
from optical.config.project import merged, read_config
from optical.config.tables import RESOURCE_LEVELS, Dataset, read_datasets, read_languages
from optical.config.training import Translator
from optical.errors import ConfigError
from optical.plan.methods import KINDS, Kind, kinds
from optical.plan.passages import names_by_language, with_each_language

DATA = "results/data"  # where downloads lie
WHOLE = 100  # per cent

Run = tuple[str, int]  # method, seed
Language = Mapping[str, str]  # a row of languages.tsv


@dataclass(frozen=True, eq=False, repr=False)
class Experiment:
    """What an experiment consists of.

    Args:
        config: the validated config, with a collection for each language of the passages of one that has several.
        given: the config as it was given; changes override it.
        languages: the rows of languages.tsv, with the config's additions.
        datasets: the rows of datasets.tsv.
        folder: of the project.
        parent: the experiment that this one changes, and whose artefacts it shares.
        share: per cent of the sentence pairs that are learnt from.
    """

    config: Config
    given: Mapping[str, object]
    languages: Mapping[str, Language]
    datasets: Mapping[str, Dataset]
    folder: Path
    parent: "Experiment | None" = None
    share: float = WHOLE

    @classmethod
    def from_config(
        cls,
        given: Mapping[str, object],
        folder: str | Path = ".",
        parent: "Experiment | None" = None,
        share: float = WHOLE,
    ) -> "Experiment":
        """Return the experiment of a config.

        Args:
            given: the config as YAML has it; missing keys have their defaults.
            folder: of the project, with config/languages.tsv and config/datasets.tsv.
            parent: the experiment whose artefacts it shares.
            share: per cent of the sentence pairs that are learnt from.

        Raises:
            ConfigError: a key is unknown or a value wrong.
        """
        config = with_each_language(Config.read(given))
        additions = config.language_additions()
        languages = read_languages(Path(folder, "config/languages.tsv"), additions)
        datasets = read_datasets(Path(folder, "config/datasets.tsv"))
        return cls(config, given, languages, datasets, Path(folder), parent, share)

    @classmethod
    def from_files(cls, *paths: str | Path, folder: str | Path = ".") -> "Experiment":
        """Return the experiment of config files, each overrides those before it, and config/config.yaml."""
        return cls.from_config(read_config([Path(folder, "config/config.yaml"), *paths]), folder)

    def changed(
        self, changes: Mapping[str, object], parent: "Experiment | None" = None, share: float = WHOLE
    ) -> "Experiment":
        """Return this experiment with changes; nested blocks are merged.

        Args:
            changes: the keys that differ, as in a config file; `results` must be another folder.
            parent: the experiment whose artefacts it reuses if the changes do not affect them; None to reuse none.
            share: per cent of the sentence pairs that are learnt from.
        """
        return self.from_config(merged(self.given, changes), self.folder, parent, share)

    def __repr__(self) -> str:
        return f"<Experiment {self.name}: {len(self.config.languages)} languages, {len(self.config.methods)} methods>"

    # --- places

    @property
    def results(self) -> str:
        """The folder of everything that this experiment writes."""
        return self.config.results

    @property
    def name(self) -> str:
        """What config/expected.tsv calls this experiment: its folder below results/; "default" for the default."""
        return "/".join(Path(self.results).parts[1:]) or "default"

    def owner(self, artefact: str) -> "Experiment":
        """Return the experiment that makes an artefact: the parent unless something that decides it has changed."""
        return self._owners[artefact]

    @cached_property
    def _owners(self) -> dict[str, "Experiment"]:
        decided, parent = decided_by(self), self.parent
        if not parent:
            return dict.fromkeys(decided, self)
        theirs = decided_by(parent)
        return {name: parent.owner(name) if decided[name] == theirs[name] else self for name in decided}

    def lineage(self) -> list["Experiment"]:
        """Return this experiment, its parent, the parent of that, and so on."""
        return [self, *(self.parent.lineage() if self.parent else [])]

    def place(self, artefact: str, *parts: object) -> str:
        """Return the path of an artefact, in the folder of the experiment that makes it."""
        return "/".join([self.owner(artefact).results, *map(str, parts)])

    def bitext(self, lang: str, side: str = "train") -> str:
        """Return the file of clean sentence pairs of a language, or of all languages; `side` is train or dev."""
        made_by = of_pairs("bitext", lang) if side == "train" else "whole_bitext"
        return self.place(made_by, "bitext", lang, f"{side}.tsv")

    def whole_bitext(self, lang: str, name: str = "train.tsv") -> str:
        """Return the file of all clean sentence pairs, before a share is taken, or report.json beside it."""
        return self.place("whole_bitext", "bitext", lang, name)

    def collection(self, name: str) -> str:
        """Return the folder of a prepared collection."""
        return self.place("collections", "collections", name)

    def training_set(self, owner: str, lang: str) -> str:
        """Return the folder of a prepared training set: the teacher's, or a method's in a language."""
        return self.place("training_sets", "training_sets", owner, lang)

    def student(self, lang: str, method: str, seed: int) -> str:
        """Return the folder of a student: that of the language, or the one of a multilingual method."""
        taught = MULTILINGUAL if self.method(method).multilingual else lang
        return f"{self.results}/students/{taught}/{method}/{seed}"

    # --- languages, methods, seeds

    def method(self, name: str) -> Method:
        """Return the block of a method."""
        return self.config.method_table[name]

    def kind_of(self, method: str) -> Kind:
        """Return how a method works."""
        return KINDS[self.method(method).kind]

    def languages_of(self, collection: str) -> list[str]:
        """Return the languages of the experiment that a collection has queries in."""
        return self._among(self.config.collection_table[collection].languages)

    def passage_languages(self, collection: str) -> list[str]:
        """Return the languages of a collection's passages."""
        return self.config.collection_table[collection].passage_languages

    def collections_by_language(self, collection: str) -> dict[str, str]:
        """Return the collections of a collection's passages in each language; none where it has one language."""
        return names_by_language(collection, self.config.collection_table[collection])

    @cached_property
    def _any_to_any(self) -> set[str]:
        table = self.config.collection_table
        parts = {name: names_by_language(name, block) for name, block in table.items()}
        return {each for name, of_name in parts.items() if of_name for each in [name, *of_name.values()]}

    def asks_english(self, collection: str) -> bool:
        """Return whether English is a language of queries like others: where passages are in several languages."""
        return collection in self._any_to_any

    def languages_of_method(self, method: str) -> list[str]:
        """Return the languages of the experiment that a method has data for: all, or those that its block names.

        A fused method has those of all that it joins.
        """
        parts = [set(self.languages_of_method(part)) for part in self.joined_by(method)]
        langs = self._among(self.method(method).languages)
        return [lang for lang in langs if all(lang in languages for languages in parts)]

    def joined_by(self, method: str) -> list[str]:
        """Return the methods whose runs a fused method joins; none where it is not fused."""
        fusion = self.method(method).fusion
        return fusion.methods if fusion else []

    def collections_of_language(self, lang: str) -> list[str]:
        """Return the collections that have queries in a language."""
        return [name for name in self.test_collections() if lang in self.languages_of(name)]

    def judged_collections(self) -> list[str]:
        """Return the collections with scores: those that methods are compared on, and the one for tuning."""
        tuning = self.config.tuning.collection
        return list(dict.fromkeys([*self.test_collections(), *([tuning] if tuning else [])]))

    def test_collections(self) -> list[str]:
        """Return the collections that methods are compared on; the first one is that of the table."""
        return [name for name in self.config.collections if self.config.collection_table[name].judged]

    def main_collection(self) -> str:
        """Return the collection of the experiment's table: the first one that methods are compared on.

        Raises:
            ConfigError: there is none.
        """
        tests = self.test_collections()
        if not tests:
            what = "no collection has queries and judgements, so no table can be made"
            raise ConfigError(what, where="collections", hint="run snakemake without a target: it encodes the passages")
        return tests[0]

    def searchable_collections(self) -> list[str]:
        """Return the collections without queries and judgements: they are encoded, for people to search.

        Passages in several languages are encoded language by language.
        """
        unjudged = [name for name in self.config.collections if not self.config.collection_table[name].judged]
        return [name for name in unjudged if not self.collections_by_language(name)]

    def _among(self, named: list[str] | None) -> list[str]:
        return [lang for lang in self.config.languages if named is None or lang in named]

    def methods_for(self, lang: str, chosen: Iterable[str] = KINDS) -> list[str]:
        """Return the methods of the chosen kinds for a language; for English, those that read English queries."""
        methods = [method for method in self.config.methods if self.method(method).kind in set(chosen)]
        if lang == "en":
            return [method for method in methods if self.kind_of(method).queries == "english"]
        return [method for method in methods if lang in self.languages_of_method(method)]

    def methods_of_kind(self, kind: str) -> list[str]:
        """Return the methods of one kind, also those of method_table that `methods` does not name."""
        return [name for name, block in self.config.method_table.items() if block.kind == kind]

    def seeds_of(self, method: str) -> list[int]:
        """Return the seeds of a method: the first alone if no student is trained for it."""
        return self.config.seeds if self.is_trained(method) else self.config.seeds[:1]

    def is_trained(self, method: str) -> bool:
        """Return whether a student is trained for a method, or for one that it joins."""
        return any(self.kind_of(name).reader == "student" for name in [method, *self.joined_by(method)])

    def runs(self, lang: str, chosen: Iterable[str] = KINDS) -> list[Run]:
        """Return (method, seed) of every run of a language by the chosen kinds."""
        return [(method, seed) for method in self.methods_for(lang, chosen) for seed in self.seeds_of(method)]

    def asked_languages(self) -> list[str]:
        """Return the languages of the experiment that a collection has queries or passages in."""
        collections = self.config.collections
        asked = {lang for name in collections for lang in [*self.languages_of(name), *self.passage_languages(name)]}
        return [lang for lang in self.config.languages if lang in asked]

    def students(self, chosen: Sequence[str] = tuple(kinds(reader="student"))) -> list[tuple[str, str, int]]:
        """Return (language, method, seed) of every student that reads queries or passages of a collection."""
        return [(lang, method, seed) for lang in self.asked_languages() for method, seed in self.runs(lang, chosen)]

    def taught_languages(self, chosen: Sequence[str] = tuple(kinds(reader="student"))) -> list[str]:
        """Return the languages that have a student of the chosen kinds."""
        return list(dict.fromkeys(lang for lang, _, _ in self.students(chosen)))

    def levels(self) -> dict[str, list[str]]:
        """Return the languages of each resource level."""
        level_of = {lang: self.languages[lang]["resource"] for lang in self.config.languages}
        return {level: [lang for lang in level_of if level_of[lang] == level] for level in RESOURCE_LEVELS}

    def rivals(self) -> list[str]:
        """Return the methods that the reference is compared with query by query, without human English queries."""
        left_out = [self.config.reference, *self.english_methods()]
        return [method for method in self.config.methods if method not in left_out]

    def english_methods(self) -> list[str]:
        """Return the methods that read human English queries."""
        return [method for method in self.config.methods if self.kind_of(method).queries == "english"]

    def bitext_languages(self) -> list[str]:
        """Return the languages with a method that learns from sentence pairs, where a collection asks for them.

        Those of the parent are among them: a share or a point of a grid has the student of the same languages.
        """
        of_parent = self.parent.bitext_languages() if self.parent else []
        learning = [lang for lang in self.asked_languages() if self.methods_for(lang, kinds(learns_from_bitext=True))]
        return self._among([*of_parent, *learning])

    def translated_languages(self) -> list[str]:
        """Return the languages with queries that a method translates."""
        asked = [lang for lang in self.config.languages if self.collections_of_language(lang)]
        return [lang for lang in asked if self.methods_for(lang, kinds(queries="translated"))]

    def translator_of(self, method: str) -> str:
        """Return the owner of a method's translator: SHARED, or the first method with the same `translator` block."""
        changes = self.method(method).translator
        same = [name for name in self.config.methods if self.method(name).translator == changes]
        return next(iter(same), method) if changes else SHARED

    def translators_of(self, lang: str, chosen: Sequence[str] = tuple(kinds(queries="translated"))) -> list[str]:
        """Return whose translators the queries of a language are read by, as `translator_of` names them."""
        return list(dict.fromkeys(self.translator_of(method) for method in self.methods_for(lang, chosen)))

    def translator_block(self, owner: str = SHARED) -> Translator:
        """Return the settings of a translator: the experiment's, with the changes of the method that owns it."""
        common = self.config.translator
        return common if owner == SHARED else common.changed(**self.method(owner).translator)

    def aligned_languages(self) -> list[str]:
        """Return the languages whose alignment is drawn: those with a distilled student, where pairs are held out."""
        return self.taught_languages(["distilled"]) if self.holds_out else []

    def owners_of_training_sets(self) -> list[str]:
        """Return the owners of a training set: the teacher, and methods that name one."""
        return ["teacher", *(name for name, block in self.config.method_table.items() if block.training_set)]

    def training_sets(self) -> list[tuple[str, str]]:
        """Return (owner, language) of every training set of the experiment."""
        switching = any(self.method(method).switch for method in self.config.methods)
        owners = [("teacher", "en")] if self.config.teacher.source == "train" or switching else []
        methods = [method for method in self.config.methods if self.method(method).training_set]
        return owners + [(method, lang) for method in methods for lang in self.languages_of_method(method)]

    @property
    def trains_encoder(self) -> bool:
        """Whether tokeniser and encoder are trained here: neither they nor the teacher are given."""
        return self.config.encoder.source == self.config.teacher.source == "train"

    @property
    def holds_out(self) -> bool:
        """Whether sentence pairs are held out from training, by which models are checked and shown."""
        return self.config.bitext_cleaning.dev_pairs > 0

    def taught_sides(self) -> list[str]:
        """Return the sides of the encoder that students learn: the common ones, and those that methods add."""
        changes = [self.method(name).student.get("sides", []) for name in self.config.methods]
        asked = {side for sides in [self.config.student.sides, *changes] for side in sides}
        return [side for side in ("query", "document") if side in asked]

    @property
    def in_parts(self) -> bool:
        """Whether documents are encoded and searched in parts."""
        return self.config.search.parts > 1

    def parts(self) -> list[str]:
        """Return the names of the parts of every collection, such as 2-of-8."""
        return [f"{number}-of-{self.config.search.parts}" for number in range(1, self.config.search.parts + 1)]


def of_pairs(artefact: str, lang: str) -> str:
    """Return the artefact of a language, or of the pairs of all languages, which languages decide, too."""
    return "mixed_bitext" if lang == MULTILINGUAL else artefact


def decided_by(experiment: Experiment) -> dict[str, tuple]:
    """Return the parts of the config that decide each artefact; `owner` compares them with the parent's."""
    config = experiment.config
    whole_bitext = config.bitext, config.bitext_cleaning, config.language_table, config.atlas
    bitext = *whole_bitext, experiment.share
    given_teacher = config.teacher.source, config.teacher.revision  # a given teacher has a tokeniser of its own
    trained = config.tokeniser, config.encoder, config.pretraining.text, config.languages
    tokeniser = *whole_bitext, *given_teacher, *trained
    transport = config.transport if config.pretraining.objectives.optimal_transport else None
    encoder = *tokeniser, config.pretraining, transport
    own_translators = {name: method.translator for name, method in config.method_table.items() if method.translator}
    of_methods = {name: method.training_set for name, method in config.method_table.items()}
    training_sets = config.atlas, config.teacher.training_set, of_methods
    teacher = *encoder, config.atlas, config.teacher
    dense = *encoder, config.dense
    start = *teacher, *bitext, config.vocabulary, config.word_alignment  # what a student starts from
    by_tokens = any(block.split and block.split.unit == "tokens" for block in config.collection_table.values())
    read = config.collection_table, config.language_table, config.languages, config.atlas
    collections = *read, *(tokeniser if by_tokens else ())
    return {
        "whole_bitext": whole_bitext,
        "bitext": bitext,
        "mixed_bitext": (*teacher, *bitext, experiment.bitext_languages(), experiment.taught_sides()),
        "tokeniser": tokeniser,
        "encoder": encoder,
        "tokens": (*bitext, *tokeniser),
        "training_sets": training_sets,
        "training_tokens": (*training_sets, *tokeniser),
        "teacher": teacher,
        "dense": dense,
        "start": start,
        "teacher_vectors": (*start, experiment.taught_sides()),
        "lexical_tables": (*bitext, config.word_alignment),
        "translators": (*start, config.translator, own_translators),
        "collections": collections,
        "vectors": (*teacher, *collections, config.search.parts),
        "extended_vectors": (*start, *collections),
        "dense_vectors": (*dense, *collections),
    }
