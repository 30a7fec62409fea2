"""Search by words: BM25, and BM25 through a lexical table (probabilistic structured query).

Shape suffixes: N documents, V words of the documents.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import bm25s
import numpy as np
from bm25s.stopwords import STOPWORDS_EN
from scipy import sparse

from optical.config.methods import LexicalSettings
from optical.corpora.passages import Document, text_of
from optical.errors import ResourceError
from optical.search.runs import Run, WordSearch
from optical.text.words import LexicalTable, words


@dataclass
class LexicalIndex:
    """The words of a collection: `bm25` scores them, `vocabulary` gives each word's id, `token_ids` each document's."""

    document_ids: list[str]
    vocabulary: dict[str, int]
    token_ids: list[list[int]]
    settings: LexicalSettings
    analyse: Callable[[str], list[str]]  # from text to index terms
    bm25: bm25s.BM25

    @cached_property
    def counts_NV(self) -> sparse.csc_array:
        """How often each document has each word."""
        lengths = list(map(len, self.token_ids))
        rows = np.repeat(np.arange(len(lengths)), lengths)
        columns = np.fromiter((token for tokens in self.token_ids for token in tokens), np.int64, sum(lengths))
        shape = (len(lengths), len(self.vocabulary))
        return sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsc()  # adds up repeated words

    @cached_property
    def length_term_N(self) -> np.ndarray:
        """BM25's denominator without the term frequency: k1 (1 - b + b length / mean length)."""
        lengths_N = np.array(list(map(len, self.token_ids)))
        k1, b = self.settings.k1, self.settings.b
        return k1 * (1 - b + b * lengths_N / lengths_N.mean())


def make_analyser(settings: LexicalSettings) -> Callable[[str], list[str]]:
    """Return the function from text to index terms: words, or English stems, with or without English stop words.

    >>> make_analyser(LexicalSettings(stop_words=True))("The capital of Tanzania")
    ['capital', 'tanzania']
    """
    dropped = frozenset(STOPWORDS_EN if settings.stop_words else ())
    stem = _english_stemmer() if settings.stemming else str

    def analyse(text: str) -> list[str]:
        return [stem(word) for word in words(text) if word not in dropped]

    return analyse


def _english_stemmer() -> Callable[[str], str]:
    try:
        from Stemmer import Stemmer
    except ImportError as error:
        raise ResourceError("stemming needs PyStemmer", hint="pip install PyStemmer, or set stemming: false") from error
    return cache(Stemmer("english").stemWord)


def index_documents(documents: Iterable[Document], settings: LexicalSettings) -> LexicalIndex:
    """Index documents; their titles are searched too. An index without a word finds nothing."""
    analyse = make_analyser(settings)
    vocabulary: dict[str, int] = {}
    document_ids, token_ids = [], []
    for document in documents:
        document_ids.append(document["id"])
        terms = analyse(text_of(document))
        token_ids.append([vocabulary.setdefault(term, len(vocabulary)) for term in terms])
    bm25 = bm25s.BM25(k1=settings.k1, b=settings.b, method="lucene")
    if vocabulary:
        bm25.index((token_ids, vocabulary), create_empty_token=False, show_progress=False)
    return LexicalIndex(document_ids, vocabulary, token_ids, settings, analyse, bm25)


def search_bm25(index: LexicalIndex, queries: Mapping[str, str], top_k: int = 1000) -> Run:
    """Search query id -> text by BM25 (Lucene's variant, by bm25s); only documents that share a word are listed.

    >>> documents = [{"id": "a", "text": "a red house"}, {"id": "b", "text": "a green tree"}]
    >>> index = index_documents(documents, LexicalSettings())
    >>> [document for document, _ in search_bm25(index, {"q": "the green house tree"})["q"]]
    ['b', 'a']
    """
    run = {}
    for query_id, text in queries.items():
        terms = index.analyse(text) if index.settings.count_repeats else dict.fromkeys(index.analyse(text))
        known = [index.vocabulary[term] for term in terms if term in index.vocabulary]
        # bm25s takes numbers, too, where the index was made of such; its annotation says text
        run[query_id] = _best(index, index.bm25.get_scores(known), top_k) if known else []  # type: ignore[arg-type]
    return run


def search_psq(index: LexicalIndex, queries: Mapping[str, str], table: LexicalTable, top_k: int = 1000) -> Run:
    """Search query id -> foreign text through a lexical table: probabilistic structured query over BM25.

    A query word counts in a document as often as its translations are expected to: its term frequency is the sum over
    document words of P(document word | query word) times theirs, and so is its document frequency (Darwish and Oard
    2003; Yang et al. 2024, arXiv 2404.18797). `table` is foreign word -> English word -> probability; it is fitted to
    the index's terms and pruned by the index's settings.
    """
    translate = _fit_table(table, index)
    run = {}
    for query_id, text in queries.items():
        scores_N = np.zeros(len(index.document_ids))
        for word, repeats in Counter(words(text)).items():
            weight = repeats if index.settings.count_repeats else 1
            if translations := translate(word):
                scores_N += weight * _expected_bm25(index, translations)
        run[query_id] = _best(index, scores_N, top_k)
    return run


def word_search(table: LexicalTable | None = None) -> WordSearch:
    """Return a search by words over documents: BM25, through a lexical table where one is given.

    >>> word_search()([{"id": "a", "text": "a red house"}], {"q": "the house"}, 10)["q"][0][0]
    'a'
    """

    def search(documents: Iterable[Document], queries: Mapping[str, str], top_k: int) -> Run:
        index = index_documents(documents, LexicalSettings())
        return search_psq(index, queries, table, top_k) if table else search_bm25(index, queries, top_k)

    return search


def _fit_table(table: LexicalTable, index: LexicalIndex) -> Callable[[str], Mapping[int, float]]:
    """Return the function from a query word to its translations among the index's terms: word id -> probability."""
    settings, analyse = index.settings, index.analyse

    def translate(word: str) -> Mapping[int, float]:
        translations: defaultdict[int, float] = defaultdict(float)
        for english, probability in prune(table[word], settings).items() if word in table else ():
            for term in analyse(english):
                if term in index.vocabulary:
                    translations[index.vocabulary[term]] += probability
        if word not in table and settings.keep_unknown:
            translations |= {index.vocabulary[term]: 1.0 for term in analyse(word) if term in index.vocabulary}
        return translations

    return translate


def prune(translations: Mapping[str, float], settings: LexicalSettings) -> dict[str, float]:
    """Keep the likeliest translations: each above the minimum, together just enough for the cumulative probability.

    >>> prune({"house": 0.6, "home": 0.3, "the": 0.1}, LexicalSettings(cumulative_probability=0.5))
    {'house': 0.6}
    """
    kept: dict[str, float] = {}
    for english, probability in sorted(translations.items(), key=lambda item: (-item[1], item[0])):
        if probability < settings.minimum_probability or sum(kept.values()) >= settings.cumulative_probability:
            break
        kept[english] = probability
    return kept


def _expected_bm25(index: LexicalIndex, translations: Mapping[int, float]) -> np.ndarray:
    """Return the BM25 score of one query word for every document, from its translations' expected frequencies."""
    counts_NV, documents = index.counts_NV, len(index.document_ids)
    frequency_N = np.zeros(documents)
    document_frequency = 0.0
    for token, probability in translations.items():
        span = slice(counts_NV.indptr[token], counts_NV.indptr[token + 1])
        frequency_N[counts_NV.indices[span]] += probability * counts_NV.data[span]
        document_frequency += probability * (span.stop - span.start)
    rarity = np.log(1 + (documents - document_frequency + 0.5) / (document_frequency + 0.5))
    # without the word, length term 0 (k1: 0; or b: 1 and no words) would be 0 / 0
    divisor_N = frequency_N + index.length_term_N
    return np.divide(rarity * frequency_N, divisor_N, out=np.zeros(documents), where=frequency_N > 0)


def _best(index: LexicalIndex, scores_N: np.ndarray, top_k: int) -> list[tuple[str, float]]:
    """Return the best documents with a positive score; equal scores in the order of the collection."""
    positive = np.flatnonzero(scores_N > 0)
    if len(positive) > top_k:
        threshold = np.partition(scores_N[positive], -top_k)[-top_k]
        positive = positive[scores_N[positive] >= threshold]
    order = positive[np.argsort(-scores_N[positive], kind="stable")][:top_k]
    return [(index.document_ids[number], float(scores_N[number])) for number in order]
