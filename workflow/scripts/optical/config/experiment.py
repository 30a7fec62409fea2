"""The whole config of an experiment: the plain keys, and the blocks that stand in it alone."""

from typing import Annotated, Any, Literal

from annotated_types import Gt, Le, MinLen
from pydantic import BeforeValidator, ConfigDict, Field

from optical.config.atlas import AtlasSettings
from optical.config.base import AtLeastZero, Count, Flag, Language, NotNegative, Numeric, Script, Settings, Unique
from optical.config.bitext import BitextCleaning, BitextSource, WordAlignment
from optical.config.collections import Collection
from optical.config.encoder import Dense, EncoderBlock, Tokeniser, Vocabulary
from optical.config.measures import MEANING, MEASURE
from optical.config.methods import Method
from optical.config.training import Pretraining, Student, Teacher, Translator
from optical.config.transport import Transport

# Names of folders, of words of a command and of wildcards, too.
SIGNS = "letters, digits and . _ + -, first a letter or digit"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.+-]*$", description=f"use {SIGNS}")]
MethodName = Annotated[
    str,
    Field(
        pattern=r"^(?!(teacher|shared)$)[A-Za-z0-9][\w.+-]*$",
        description=f"use {SIGNS}; teacher and shared are folders of other things",
    ),
]
BitextLanguage = Annotated[
    str, Field(title="lang", pattern=r"^([a-z]{2,3}|\*)$", description='a language\'s code, or "*"')
]
SHARED_FOLDERS = ("arguments", "atlas", "checkpoints", "data", "ir_datasets", "models")
MADE_FOLDERS = ("dense", "encoder", "teacher", "tokeniser")  # of the experiment above, which replaces them whole
# Neither a folder that experiments share or a rule makes nor one that `..` leads out to.
RESULTS = (
    rf"^results(?!/({'|'.join(SHARED_FOLDERS)})(/|$))(?!.*/({'|'.join(MADE_FOLDERS)})(/|$))(?!.*/\.\.?(/|$))"
    r"(/[A-Za-z0-9._-]+)*$"
)
Measure = Annotated[str, Field(pattern=MEASURE, description=MEANING)]


class LanguageChanges(Settings):
    """A language beside those of config/languages.tsv, or changes to one; other columns of that table are keys, too."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    name: str | None = None
    """English name of the language"""

    resource: Literal["low", "high"] | None = None
    """which mean of the table the language belongs to"""

    script: Script | None = None
    """ISO 15924 code such as Latn; sentences in another script are dropped"""


class BitextCurve(Settings):
    """`<results>/bitext_curve.tsv`: the mean against the number of sentence pairs."""

    shares: Unique[Annotated[float, Gt(0), Le(100), Numeric]] = [1.0, 3.0, 10.0, 30.0]
    """per cent of the sentence pairs; 100 is always among them"""

    methods: list[str] = ["mse", "optical"]
    """distilled methods of `methods`; none for all"""


class Study(Settings):
    """`<results>/table.tsv`: an experiment in several conditions, see config/studies."""

    variants: dict[str, dict[str, Any]] = {}
    """name -> what it changes in the config; each is run in `<results>/<name>`"""

    only: list[str] = []
    """run only these variants; none for all"""

    repeats: Unique[AtLeastZero] = []
    """seeds of encoder and teacher: each makes each variant again, in `<results>/<variant>/<seed>`"""

    axis: Annotated[str, Field(pattern="^[a-z_]+$")] = "variant"
    """what the variants are, heading of their column"""

    shares: Flag = False
    """whether the shares of `bitext_curve` are conditions, too"""

    compare: Literal["methods", "variants"] = "methods"
    """what is tested against what, the rest being equal"""

    reference: str | None = None
    """what the others are tested against; null for the experiment's `reference`, a method"""

    figure: Literal["curve", "dots", "matrix", "gap"] = "dots"
    """lines over sentence pairs, dots with intervals, a heat map, or the gap between resource levels"""


class Tuning(Settings):
    """`<results>/tuning.tsv`: a grid over keys of the config, judged on a development collection."""

    grid: dict[str, Annotated[Unique[Any], MinLen(1)]] = {}
    """dotted key -> the values to try, such as {transport.regularisation: [0.03, 0.1]}; every combination is run"""

    collection: str | None = None
    """the collection that decides, of `collection_table`: one for development, not the test"""

    method: str | None = None
    """whose mean decides; null for `reference`"""


class Matrix(Settings):
    """`<results>/tables/<collection>/matrix.tsv`: any language to any language, for passages in several languages."""

    references: list[str] = []
    """methods that the others are tested against, each in turn; none for `reference`"""


def _read_number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


Bits = Annotated[Literal[1, 2, 4, 8], BeforeValidator(_read_number)]


class Pruned(Settings):
    """The index of `<results>/pruned_table.tsv` (PLAID)."""

    bits: Bits = 4
    """bits that the index keeps of each component of a token vector"""

    probes: Count = 8
    """centroids that a query token looks at"""

    candidates: Count = 4096
    """documents per query that are then scored"""


class Search(Settings):
    """Exhaustive MaxSim search."""

    top_k: Count = 1000
    """documents per query in a run"""

    memory_mb: Count = 1000
    """memory of a search beside its queries and hits"""

    parts: Count = 1
    """into how many jobs the encoding of a collection is split, and each search of it; runs are merged"""

    pruned: Pruned = Field(default_factory=Pruned)


class Machine(Settings):
    """Resources: where and how fast jobs run. A change here never reruns a job."""

    device: Annotated[str, Field(pattern="^(auto|cpu|cuda(:[0-9]+)?)$")] = "auto"
    """auto, cpu, cuda (any free one) or cuda:N"""

    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    """precision of matrix products, except those of transport, which is fp32; auto: bf16 where that is faster here"""

    gpus: AtLeastZero = 0
    """devices that a training job asks the cluster for"""

    threads: Count = 1
    """threads of a processor, for the encoder, the teacher and the documents; another number rounds sums in another
    order, which moves the table of a small collection"""

    checkpoint_minutes: NotNegative = 10.0
    """minutes between checkpoints"""

    checkpoint_steps: AtLeastZero = 0
    """steps between checkpoints, too; 0 for minutes only"""

    stop_before_runtime: Flag = False
    """save and stop when nine tenths of a job's `runtime` have passed, to be resumed by a retry"""


class Config(Settings):
    """An experiment: everything that a config may say."""

    results: Annotated[str, Field(pattern=RESULTS)] = "results"
    """folder for all output of this experiment: `results` or a folder below it, except the shared ones
    (`arguments`, `atlas`, `checkpoints`, `data`, `ir_datasets`, `models`)"""

    mirror: str | None = None
    """folder that serves https://host/path as host/path, instead of the network; null for the network"""

    languages: Annotated[Unique[Language], MinLen(1)] = ["sw", "so", "tl", "mr", "fi", "de", "fr"]
    """query languages, the columns of the table; codes of config/languages.tsv or of `language_table`"""

    methods: Annotated[Unique[str], MinLen(1)] = [
        "english",
        "bm25",
        "nmt",
        "zero-shot",
        "mse",
        "greedy",
        "contrastive",
        "optical",
    ]
    """rows of the table, in this order; names of `method_table`"""

    seeds: Annotated[Unique[AtLeastZero], MinLen(1)] = [1]
    """one student per method, language and seed; the table shows means over seeds"""

    collections: Annotated[Unique[str], MinLen(1)] = ["atlas"]
    """names of `collection_table`; the first with judgements is that of `map_table.tsv`, others are encoded"""

    measures: Annotated[Unique[Measure], MinLen(1)] = ["AP", "nDCG@10", "R@100", "RR"]
    """measures in the notation of ir_measures, with a cutoff where one is needed; the first is that of the table"""

    reference: str = "optical"
    """the method that the others are tested against"""

    unusual_values: Flag = False
    """whether a learning rate, a length, a regularisation or a number of steps that is ten times or more outside the
    range usual for the encoder is meant; it is refused otherwise, except few steps, which only give a warning"""

    lexicon: str | None = "results/atlas/lexicon/{lang}.tsv"
    """names and their translations by {lang}, by which `<results>/alignment_quality.tsv` is measured; null for none"""

    language_table: dict[Language, LanguageChanges] = {}
    """languages beside those of config/languages.tsv, or changes to them; other columns of that table are keys, too"""

    atlas: AtlasSettings = Field(default_factory=AtlasSettings)

    collection_table: dict[Name, Collection] = {}
    """what can be searched; a block names a reader and its files"""

    bitext: dict[BitextLanguage, list[BitextSource]] = {}
    """sentence pairs by language code; "*" stands for every language without sources of its own"""

    bitext_cleaning: BitextCleaning = Field(default_factory=BitextCleaning)
    tokeniser: Tokeniser = Field(default_factory=Tokeniser)
    encoder: EncoderBlock = Field(default_factory=EncoderBlock)
    dense: Dense = Field(default_factory=Dense)
    pretraining: Pretraining = Field(default_factory=Pretraining)
    teacher: Teacher = Field(default_factory=Teacher)
    student: Student = Field(default_factory=Student)
    vocabulary: Vocabulary = Field(default_factory=Vocabulary)
    word_alignment: WordAlignment = Field(default_factory=WordAlignment)
    translator: Translator = Field(default_factory=Translator)
    transport: Transport = Field(default_factory=Transport)

    method_table: dict[MethodName, Method] = {}
    """what a name in `methods` means"""

    bitext_curve: BitextCurve = Field(default_factory=BitextCurve)
    study: Study = Field(default_factory=Study)
    tuning: Tuning = Field(default_factory=Tuning)
    matrix: Matrix = Field(default_factory=Matrix)
    search: Search = Field(default_factory=Search)
    machine: Machine = Field(default_factory=Machine)

    @property
    def measure(self) -> str:
        """The first of the measures, which tables and figures show."""
        return self.measures[0]

    def language_additions(self) -> dict[str, dict[str, str]]:
        """Return what `language_table` adds to config/languages.tsv: code -> some columns."""
        return {code: row.model_dump(exclude_none=True) for code, row in self.language_table.items()}
