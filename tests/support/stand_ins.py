"""Stand-ins for what config/paper.yaml fetches: invented texts, each in the format and layout of its publisher.

The languages are invented too: a foreign word is an English one, reversed, with an ending. Nothing can be learnt about
retrieval from them, only whether every step reads what it is given.
"""

import gzip
import json
import random
import zipfile

from support.tiny_models import save_bert, save_nllb

NAMES = (
    "river mountain harbour market school doctor farmer teacher bridge forest garden window kitchen lemon "
    "village island castle museum library station engine picture kettle carpet"
)
NOUNS = NAMES.split()
ENDINGS = {"sw": "a", "de": "en", "en": ""}
WORDS_OF_CLIRMATRIX = 30
DOCUMENTS = 30
QUERIES = 12
CORPORA = {"sw": ("TED2020", "CCAligned", "WikiMatrix", "NLLB"), "de": ("TED2020", "CCAligned", "WikiMatrix")}
FOLDERS_OF_WIKICLIR = {"sw": "swahili", "de": "german"}


def say(nouns, lang="en"):
    """Return nouns as a text of a language.

    >>> say(["river", "market"], "de")
    'reviren tekramen'
    """
    return " ".join(noun if lang == "en" else noun[::-1] + ENDINGS[lang] for noun in nouns)


def draw(seed, count, words=6):
    """Return lists of nouns, the same ones for the same seed."""
    chance = random.Random(seed)
    return [[chance.choice(NOUNS) for _ in range(words)] for _ in range(count)]


DOCUMENT_NOUNS = draw("documents", DOCUMENTS, WORDS_OF_CLIRMATRIX)
QUERY_NOUNS = [nouns[:3] for nouns in DOCUMENT_NOUNS[:QUERIES]]  # the k-th query is answered by the k-th document


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def write_opus(folder, langs=("sw", "de"), pairs=60):
    """Write the zips of OPUS by the paths of their addresses."""
    for lang in langs:
        pair = "-".join(sorted(["en", lang]))
        for corpus in CORPORA[lang]:
            path = folder / f"OPUS-{corpus}/v1/moses/{pair}.txt.zip"
            path.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("README", f"Corpus Name: {corpus}\n")
                for side in ("en", lang):
                    text = "".join(f"{say(nouns, side)}\n" for nouns in draw(f"{corpus} {lang}", pairs))
                    archive.writestr(f"{corpus}.{pair}.{side}", text)
                archive.writestr(f"{corpus}.{pair}.xml", "<cesAlign/>\n")


def write_catalogue(home, langs=("sw", "de")):
    """Lay out MS MARCO, mMARCO, WikiCLIR and CLIRMatrix as ir_datasets keeps them once they are downloaded."""
    marco, wiki = home / "msmarco-passage", home / "wikiclir/source/wiki-clir"
    triples = [f"{query}\t{query}\t{query + QUERIES}" for query in range(QUERIES)]
    write(marco / "collection.tsv", (f"{row}\t{say(nouns)}" for row, nouns in enumerate(DOCUMENT_NOUNS)))
    (marco / "irds_version.txt").write_text("v2")  # with a line end ir_datasets takes the folder for an old one
    write(marco / "train/queries.tsv", (f"{row}\t{say(nouns)}" for row, nouns in enumerate(QUERY_NOUNS)))
    write(marco / "train/small.triples.qidpid.tsv", triples)
    write(home / "mmarco/triples.train.ids.small.tsv", triples)
    german = (f"{row}\t{say(nouns, 'de')}" for row, nouns in enumerate(QUERY_NOUNS))
    write(home / "mmarco/v2/german.queries.train.tsv", german)
    first_sentences = (f"{row}\tTitle {row}\t{say(nouns)}" for row, nouns in enumerate(QUERY_NOUNS))
    write(wiki / "english/wiki_en.queries", first_sentences)
    for lang in langs:
        folder = wiki / FOLDERS_OF_WIKICLIR[lang]
        articles = (f"{lang}{row}\tTitle {row}\t{say(nouns, lang)}" for row, nouns in enumerate(DOCUMENT_NOUNS))
        write(folder / f"wiki_{lang}.documents", articles)
        judged = [f"{row} {lang}{row} 2" for row in range(QUERIES)] + [f"0 {lang}9 1"]
        write(folder / f"en2{lang}.rel", judged)
    write_clirmatrix(home / "clirmatrix", langs)


def write_clirmatrix(folder, langs):
    """Lay out CLIRMatrix, whose list of downloads is one of them."""
    splits = {
        f"queries/{lang}_en/test1": {"url": f"http://localhost/{lang}", "cache_path": f"{lang}.gz"} for lang in langs
    }
    documents = {"docs/en": {"url": "http://localhost/en", "cache_path": "en.gz"}}
    downloads = {"clirmatrix_docs": documents, "clirmatrix_bi139_base": splits}
    write(folder / "clirmatrix_downloads.json.gz", [json.dumps(downloads)])
    write(folder / "en.gz", (f"{row}\t{say(nouns)}" for row, nouns in enumerate(DOCUMENT_NOUNS)))
    for lang in langs:
        rows = (
            {"src_id": str(row), "src_query": say(nouns, lang), "tgt_results": [[str(row), 6], [str(row + 9), 0]]}
            for row, nouns in enumerate(QUERY_NOUNS)
        )
        write(folder / f"{lang}.gz", map(json.dumps, rows))


def write_clef(folder, langs=("en", "sw", "de")):
    """Write Los Angeles Times files, topics and qrels; the last document is long, the last topic has no answer."""
    documents = [
        f"<DOC>\n<DOCNO> LA0101{row:02}-0001 </DOCNO>\n<HEADLINE><P>{say(nouns[:3]).upper()} </P>\n</HEADLINE>\n"
        f"<TEXT>\n<P>\n{say(nouns * (12 if row == DOCUMENTS - 1 else 1))}\n</P>\n</TEXT>\n</DOC>"
        for row, nouns in enumerate(DOCUMENT_NOUNS)
    ]
    write(folder / "lat94/la010194", documents[:20])
    write(folder / "lat94/la010294.gz", documents[20:])
    topics = [*QUERY_NOUNS, NOUNS[:3]]
    for lang in langs:
        blocks = (
            f"<top>\n<num> C{row + 1:03} </num>\n<{lang.upper()}-title> {say(nouns, lang)} </{lang.upper()}-title>\n"
            f"<{lang.upper()}-desc> {say(nouns[:1], lang)} </{lang.upper()}-desc>\n</top>"
            for row, nouns in enumerate(topics)
        )
        write(folder / f"topics.{lang}.txt", blocks)
    for year in range(4):
        rows = range(year * QUERIES // 4, (year + 1) * QUERIES // 4)
        judged = [f"{row + 1} 0 LA0101{row:02}-0001 1" for row in rows] + [
            f"{row + 1} 0 GH950102-000000 1" for row in rows
        ]
        write(folder / f"qrels.{2000 + year}.txt", judged)


def write_models(folder, encoder, translator):
    """Write the two models below `organisation/name/commit`, the encoder in safetensors, the translator as it once was.

    Args:
        encoder, translator: blocks of the config, with `source` and `revision`.
    """
    words = [say([noun], lang) for noun in NOUNS for lang in ENDINGS]
    save_bert(folder / encoder["source"] / encoder["revision"], words)
    save_nllb(folder / translator["source"] / translator["revision"], safetensors=False)
