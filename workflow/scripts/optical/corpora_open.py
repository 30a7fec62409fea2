"""Open collections with English documents: AfriQA, FLORES articles, Belebele and the captions of Multi30k.

Every reader takes the collection's block of the config, file references resolved to paths (one a language as
`{lang: path}`), and the languages asked for. Nothing is downloaded here.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator

from optical.corpora_files import Collection, TrainingSet, as_list, comparable, query_files
from optical.errors import ConfigError, DataError
from optical.files import read_jsonl, read_lines

log = logging.getLogger("optical")


def passage_id(text: str) -> str:
    """Return an id made of a passage's text, so that equal passages are one document whatever file they come from.

    >>> passage_id("Dodoma is the capital.") == passage_id(" Dodoma  is the capital.\\n")
    True
    """
    return "p" + hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def read_afriqa(settings: dict, languages: list[str]) -> Collection:
    """Read AfriQA (Ogundepo et al., EMNLP 2023): African questions, their human translations, English gold passages.

    `questions` `{sw: FILE}` are the gold-passage files whose questions are the queries; `passages` lists the gold-
    passage files whose contexts, together with those of the questions and each text once, are the documents, but for
    those of the files in `without`: what a teacher has learned from. A question's own passage is the relevant one.
    Rows without a context are left out. Documents keep the title of their page unless `titles: false`: it moves
    BM25's reciprocal rank by .03 to .04.
    """
    files = query_files(settings["questions"], languages)
    if len(files) != 1:
        raise ConfigError(
            "AfriQA's questions differ from language to language: one language a collection", where=sorted(files)
        )
    [(lang, path)] = files.items()
    rows = _afriqa_rows(path)
    left_out = {passage_id(row["context"]) for file in as_list(settings.get("without")) for row in _afriqa_rows(file)}
    others = (row for file in as_list(settings.get("passages")) for row in _afriqa_rows(file))
    contexts = [*rows, *(row for row in others if passage_id(row["context"]) not in left_out)]
    queries = {
        "en": [(row["id"], row["question_translated"]) for row in rows],
        lang: [(row["id"], row["question_lang"]) for row in rows],
    }
    qrels = [(row["id"], passage_id(row["context"]), 1) for row in rows]
    return Collection(_afriqa_documents(contexts, settings.get("titles", True)), queries, qrels)


def read_afriqa_pairs(settings: dict) -> TrainingSet:
    """Read English question and passage pairs from AfriQA's other languages, to train an English retriever.

    `pairs` lists gold-passage files (train and dev of other languages), `held_out` the files of the test questions: a
    pair that shares the question (in either language) or the passage with one of those is left out. The triples have
    no negatives: the other passages of the batch serve.
    """
    held_out = [row for path in as_list(settings["held_out"]) for row in _afriqa_rows(path)]
    forbidden = {
        comparable(row[key]) for row in held_out for key in ("question_lang", "question_translated", "context")
    }
    rows: dict[tuple[str, str], dict] = {}
    dropped = 0
    for path in as_list(settings["pairs"]):
        for row in _afriqa_rows(path):
            question, context = comparable(row["question_translated"]), comparable(row["context"])
            if question in forbidden or context in forbidden or comparable(row["question_lang"]) in forbidden:
                dropped += 1
            else:
                rows.setdefault((question, context), row)
    log.info("%d pairs kept, %d left out because they share a question or passage with the test", len(rows), dropped)
    question_ids: dict[str, str] = {}
    for question, _ in rows:
        question_ids.setdefault(question, f"q{len(question_ids)}")
    texts = {question_ids[question]: row["question_translated"] for (question, _), row in rows.items()}
    triples = [(question_ids[question], passage_id(row["context"])) for (question, _), row in rows.items()]
    documents = _afriqa_documents(rows.values(), settings.get("titles", True))
    return TrainingSet(documents, texts.items(), triples, source=settings["pairs"])


def _afriqa_rows(path: str) -> list[dict]:
    """Return the rows of an AfriQA gold-passage file that have a passage and both questions."""
    keys = ("context", "question_lang", "question_translated")
    rows = list(read_jsonl(path))
    if not rows or not all(key in rows[0] for key in keys):
        raise DataError("not a gold-passage file of AfriQA", where=path, hint=f"each line needs {', '.join(keys)}")
    return [row for row in rows if all((row[key] or "").strip() for key in keys)]


def _afriqa_documents(rows: Iterable[dict], titles: bool) -> Iterator[dict]:
    """Yield each passage once."""
    seen = set()
    for row in rows:
        document_id = passage_id(row["context"])
        if document_id not in seen:
            seen.add(document_id)
            title = {"title": row["title"]} if titles and row.get("title") else {}
            yield {"id": document_id, "text": row["context"]} | title


FLORES_PARTS = ("dev", "test")


def read_flores_articles(settings: dict, languages: list[str]) -> Collection:
    """Read FLORES-200 as a known-item test: which English article does this foreign sentence come from?

    An inverse cloze task, not a real information need. `sentences` `{lang: FILE}`, `metadata` (URL in the first
    column); an article is the sentences of one URL. Its first half (rounded down) is the document, each sentence of the
    second half is a query, and none is in both. The articles fall into a `dev` and a `test` `part` by a hash of URL and
    `seed`; the documents of both are searched.

    Several designs were compared with BM25 on the devtest half (281 articles): one held-out sentence an article gives
    281 queries and tells the English from the German query with t = 12.0 (errors clustered by article); this one gives
    582 queries and t = 13.5; all sentences but the first 731 and 12.8. It is also the furthest from saturated of those
    with a document that says something: reciprocal rank .49 in English, against .58 with one sentence held out.
    """
    part, seed = settings.get("part", "test"), settings.get("seed", 0)
    if part not in FLORES_PARTS:
        raise ConfigError(f"no part {part!r}", hint="dev or test")
    files = query_files(settings["sentences"], ["en", *languages])
    sentences = {lang: list(read_lines(path)) for lang, path in files.items()}
    urls = [line.split("\t")[0] for line in read_lines(settings["metadata"])][1:]
    for lang, lines in sentences.items():
        if len(lines) != len(urls):
            raise DataError(
                f"{len(lines)} sentences in {lang}, but {len(urls)} rows of metadata",
                where=files[lang],
                hint="take devtest sentences with devtest metadata, or dev with dev",
            )
    articles: dict[str, list[int]] = {}
    for number, url in enumerate(urls):
        articles.setdefault(url, []).append(number)
    documents, qrels = [], []
    for index, (url, numbers) in enumerate(articles.items()):
        half = max(len(numbers) // 2, 1)
        documents.append({"id": f"a{index}", "text": " ".join(sentences["en"][n] for n in numbers[:half])})
        if _flores_part(url, seed) == part:
            qrels += [(f"s{number}", f"a{index}", 1) for number in numbers[half:]]
    queries = {lang: [(q, lines[int(q[1:])]) for q, _, _ in qrels] for lang, lines in sentences.items()}
    return Collection(documents, queries, qrels)


def _flores_part(url: str, seed: int) -> str:
    """Return which part an article belongs to; the other articles of the file have no say in it."""
    return FLORES_PARTS[hashlib.sha256(f"{seed}\t{url}".encode()).digest()[0] % 2]


def read_belebele(settings: dict, languages: list[str]) -> Collection:
    """Read Belebele (Bandarkar et al., 2024) as retrieval: which English passage answers this question?

    `questions` `{en: FILE, de: FILE}` are JSON Lines of `{"text", "items": [{"question", ...}]}` whose rows are the
    same passage in each language. The English texts are the documents. The passages are FLORES articles: never train
    on FLORES for this test.
    """
    files = query_files(settings["questions"], ["en", *languages])
    rows = {lang: list(read_jsonl(path)) for lang, path in files.items()}
    for lang, lang_rows in rows.items():
        if [len(row["items"]) for row in lang_rows] != [len(row["items"]) for row in rows["en"]]:
            raise DataError("passages and questions do not run parallel to the English file", where=files[lang])
    documents = [{"id": f"b{number}", "text": row["text"]} for number, row in enumerate(rows["en"])]
    queries = {
        lang: [
            (f"b{number}-{k}", item["question"])
            for number, row in enumerate(lang_rows)
            for k, item in enumerate(row["items"])
        ]
        for lang, lang_rows in rows.items()
    }
    qrels = [(query_id, query_id.split("-")[0], 1) for query_id, _ in queries["en"]]
    return Collection(documents, queries, qrels)


def read_multi30k(settings: dict, languages: list[str]) -> Collection:
    """Read Multi30k (Elliott et al., 2016): a foreign caption, and the English captions of the same image.

    `captions` lists the files of English captions (task 2: five), `images` names the image of each line; `queries`
    `{lang: FILE or [FILES]}`: captions, independent (task 2, German) or translated (task 1), with `query_images` where
    the order of images is another. A task 1 caption is the translation of one of the five; `leave_out_source: true`
    drops that caption (the English query's text) from the documents, so that only independent captions count.
    """
    images = _image_names(settings["images"])
    query_images = _image_names(settings["query_images"]) if settings.get("query_images") else images
    files = query_files(settings["queries"], languages)
    queries = {
        lang: [
            (f"{image}-{k}" if isinstance(value, list) else image, text)
            for k, path in enumerate(as_list(value), start=1)
            for image, text in _captions(path, query_images)
        ]
        for lang, value in files.items()
    }
    sources = set()
    if settings.get("leave_out_source", False):
        if "en" not in queries:
            raise ConfigError("leave_out_source needs the English captions of task 1", hint="queries: {en: FILE, ...}")
        sources = {(query_id.split("-")[0], comparable(text)) for query_id, text in queries["en"]}
    documents = [
        {"id": f"{image}-en{k}", "text": text}
        for k, path in enumerate(as_list(settings["captions"]), start=1)
        for image, text in _captions(path, images)
        if (image, comparable(text)) not in sources
    ]
    captions_of: dict[str, list[str]] = {}
    for document in documents:
        captions_of.setdefault(document["id"].split("-")[0], []).append(document["id"])
    query_ids = dict.fromkeys(query_id for pairs in queries.values() for query_id, _ in pairs)
    qrels = [(q, document_id, 1) for q in query_ids for document_id in captions_of.get(q.split("-")[0], [])]
    return Collection(documents, queries, qrels)


def read_multi30k_pairs(settings: dict) -> TrainingSet:
    """Read training pairs from Multi30k: the first English caption of an image asks for each of the others.

    `captions` lists the files of English captions, `images` names each line's image. `held_out_images` lists the files
    of test images, which must not occur; `held_out` lists files of test captions, and a caption that reads like one of
    them (two photographs of a man with a guitar) is left out.
    """
    images = _image_names(settings["images"])
    held_out = {image for path in as_list(settings.get("held_out_images")) for image in _image_names(path)}
    if shared := held_out.intersection(images):
        raise DataError(f"{len(shared)} training images are test images", where=settings["images"], hint=min(shared))
    forbidden = {comparable(line) for path in as_list(settings.get("held_out")) for line in read_lines(path)}
    first, *others = (
        [(image, text) for image, text in _captions(path, images) if comparable(text) not in forbidden]
        for path in as_list(settings["captions"])
    )
    asked = dict(first)
    documents = [
        {"id": f"{image}-en{k}", "text": text} for k, captions in enumerate(others, start=2) for image, text in captions
    ]
    pairs = ((document["id"].split("-")[0], document["id"]) for document in documents)
    triples = (pair for pair in pairs if pair[0] in asked)
    return TrainingSet(documents, first, triples, source=settings["captions"])


def _image_names(path: str) -> list[str]:
    """Return the image of each line, without what the file system adds to it."""
    return [line.split("#")[0].removesuffix(".jpg").replace("-", "_") for line in read_lines(path)]


def _captions(path: str, images: list[str]) -> list[tuple[str, str]]:
    """Return the caption of each image."""
    lines = list(read_lines(path))
    if len(lines) != len(images):
        raise DataError(f"{len(lines)} captions for {len(images)} images", where=path, hint="splits must match")
    return list(zip(images, lines, strict=True))
