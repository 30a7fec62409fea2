"""Measure whether row k of one side of a bitext translates row k of the other, and find the rows where it does not.

Every pair of rows is described by two small facts: how far the length of the foreign sentence is from what the English
one predicts, and how many *anchors* (numbers, marks, names and cognates that look alike in both languages) they share.
How often each value occurs among true pairs is compared with how often it occurs among rows that are four to nine rows
apart; the logarithm of the ratio is the evidence of a pair. A hidden Markov model then splits the rows into runs that
are aligned, shifted by up to three rows, or match nothing. All parameters are estimated from the bitext itself.

Shape suffixes: N rows, S states (the shifts, then "matches nothing"), O offsets of wrong pairs, V anchors.
"""

import dataclasses
import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

SHIFTS = (0, -1, 1, -2, 2, -3, 3)
UNMATCHED = len(SHIFTS)  # the state of rows that match nothing near them
WRONG_OFFSETS = (-9, -8, -7, -6, -5, -4, 4, 5, 6, 7, 8, 9)

MINIMUM_ROWS = 100  # fewer rows do not suffice to estimate what a true pair looks like
CHANGE_RATE = 1 / 500  # prior probability that the state changes from one row to the next
ACQUITTAL = 3.0  # a run that beats its wrong pairs by so many standard deviations is aligned after all
RECOGNITION = 5.0  # bitext that beats its wrong pairs by fewer standard deviations is refused as a whole
PIECE_ROWS = 100_000

_ANCHOR = re.compile(r"\d+|[^\W\d_]+|[?!():;%/&@+=\"]")
_SAME_MARK = str.maketrans("؟“”«»„", '?"""""')
_PREFIX = 4  # cognates and inflected names agree at their beginning: Italy, Italia, Italialle
_COMMON = 0.1  # an anchor in more rows than this says nothing
_LENGTH_CLASSES = 5  # quintiles of the English length: short sentences scatter more
_RESIDUAL_EDGES = np.array([0.5, 1, 1.5, 2, 3, 4, 6, 9])  # in units of the class's median residual
_SHARED_EDGES = np.array([-0.5, 1e-9, 0.08, 0.16, 0.25, 0.35, 0.5, 0.7])  # below the first: no anchor on either side
_ROUNDS = 5
_OUTSIDE = -5.0  # evidence of a pair with a row before the first or after the last one


@dataclasses.dataclass(frozen=True)
class Run:
    """Rows start..stop-1 (from 0) whose foreign side is `shift` rows away (None: nowhere near).

    `evidence` is the log-likelihood ratio in nats of that reading against "aligned as published".
    """

    start: int
    stop: int
    shift: int | None
    evidence: float


@dataclasses.dataclass(frozen=True)
class Alignment:
    """What was measured: the faulty runs, the mean evidence of a row kept (nats), whether there were rows enough."""

    runs: list[Run]
    separation: float
    checked: bool


def anchors(text: str) -> set[str]:
    """Return what of a sentence can be recognised in another language.

    >>> sorted(anchors("COVID-19 reached Italy (again)?"))
    ['(', ')', '19', '?', 'agai', 'covi', 'ital', 'reac']
    >>> anchors("१९ मार्च") & anchors("19 March")
    {'19'}
    """
    signs = set()
    for word in _ANCHOR.findall(unicodedata.normalize("NFKC", text).translate(_SAME_MARK).casefold()):
        if word[0].isdecimal():
            signs.add(str(int(word)) if len(word) < 20 else word)
        elif not word[0].isalpha():
            signs.add(word)
        elif len(word) >= _PREFIX:
            signs.add(_without_accents(word[:_PREFIX]))
    return signs


@functools.lru_cache(maxsize=1 << 16)
def _without_accents(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))


def check_alignment(english: Sequence[str], foreign: Sequence[str]) -> Alignment:
    """Find the runs of rows whose two sides do not belong together.

    Rows with an empty side count neither way. Bitext of fewer than `MINIMUM_ROWS` other rows is not checked. Bitext
    whose rows match no better than rows picked wrongly gives one run over everything.
    """
    rows = len(english)
    if min(sum(map(bool, map(str.strip, side))) for side in (english, foreign)) < MINIMUM_ROWS:
        return Alignment([], 0.0, checked=False)
    pieces = max(1, round(rows / PIECE_ROWS))
    bounds = [rows * piece // pieces for piece in range(pieces + 1)]
    runs, separations = [], []
    for start, stop in zip(bounds, bounds[1:], strict=False):
        in_piece, separation = _check_piece(english[start:stop], foreign[start:stop])
        runs += [dataclasses.replace(run, start=run.start + start, stop=run.stop + start) for run in in_piece]
        separations.append(separation)
    return Alignment(runs, float(np.mean(separations)), checked=True)


def length_correlation(english: Sequence[str], foreign: Sequence[str], run: Run, shift: int) -> float | None:
    """Return the correlation of the log lengths of a run's rows, read with a shift; None where lengths do not vary."""
    rows = [row for row in range(run.start, run.stop) if 0 <= row + shift < len(foreign)]
    lengths = np.log([[len(english[row]) + 1, len(foreign[row + shift]) + 1] for row in rows])
    if len(rows) < 3 or lengths.std(axis=0).min() < 1e-9:
        return None
    return round(float(np.corrcoef(lengths.T)[0, 1]), 3)


def _check_piece(english: Sequence[str], foreign: Sequence[str]) -> tuple[list[Run], float]:
    pairing = _Pairing(english, foreign)
    if max(pairing.partner(shift)[1].sum() for shift in SHIFTS) < MINIMUM_ROWS:
        return [], 0.0
    if _recognition(pairing) < RECOGNITION:
        return [Run(0, len(english), None, 0.0)], 0.0
    state_N = _best_start(pairing)
    for _ in range(_ROUNDS):
        pairing.fit(state_N)
        evidence_of_shifts = [pairing.evidence(shift) for shift in SHIFTS]
        evidence_NS = np.stack([*evidence_of_shifts, np.zeros(pairing.rows)], axis=1)  # "matches nothing" is zero
        decoded_N = viterbi(evidence_NS, CHANGE_RATE)
        if (decoded_N == state_N).all():
            break
        state_N = decoded_N
    wrong_NO = np.stack([pairing.evidence(offset) for offset in WRONG_OFFSETS], axis=1)
    runs = []
    for run in _runs(state_N, evidence_NS):
        rows = slice(run.start, run.stop)
        wrong_O = wrong_NO[rows].mean(axis=0)
        acquitted = _excess(evidence_NS[rows, 0].mean(), wrong_O) >= ACQUITTAL or _lengths_agree(pairing, rows)
        if run.shift is not None or not acquitted:
            runs.append(run)
    aligned_N = state_N == 0
    runs = sorted([*runs, *_frayed_edges(runs, evidence_NS[:, 0])], key=lambda run: run.start)
    return runs, float(evidence_NS[aligned_N, 0].mean()) if aligned_N.any() else 0.0


def _recognition(pairing: "_Pairing") -> float:
    """Return by how many standard deviations the best shift beats wrong pairs, before anything is fitted.

    The deviation among the few wrong offsets is not believed below what chance alone gives: 1/sqrt(N) for a
    correlation, one rare anchor that happens to be shared for the anchors.
    """
    right, wrong = (np.array([pairing.raw_match(shift) for shift in shifts]) for shifts in (SHIFTS, WRONG_OFFSETS))
    floors = (pairing.rows**-0.5, np.log(pairing.rows) / pairing.rows)
    return max(_excess(right[:, k].max(), wrong[:, k], floor) for k, floor in enumerate(floors))


def _excess(value: float, others: np.ndarray, floor: float = 1e-9) -> float:
    """Return how many standard deviations (at least `floor`) a value lies above others.

    Repetitive text matches badly where it is aligned, but still better than with its neighbours.
    """
    return float((value - others.mean()) / max(others.std(), floor))


def _lengths_agree(pairing: "_Pairing", rows: slice) -> bool:
    """Return whether the lengths alone say that rows are aligned as published: then these only lack anchors.

    Sentences that begin alike share an English anchor that may have no counterpart in the other language.
    """
    usable_N = pairing.partner(0)[1][rows]
    english_N, foreign_N = pairing.english_length_N[rows][usable_N], pairing.foreign_length_N[rows][usable_N]
    if len(english_N) <= 3 or min(english_N.std(), foreign_N.std()) < 1e-9:
        return False
    likely = pairing.length_evidence[pairing.residual(0)[rows]][usable_N].mean() > 0
    correlation = min(float(np.corrcoef(english_N, foreign_N)[0, 1]), 1 - 1e-9)
    return bool(likely and np.arctanh(correlation) * np.sqrt(len(english_N) - 3) >= RECOGNITION)


def _best_start(pairing: "_Pairing") -> np.ndarray:
    """Return the constant state from which true and wrong pairs differ most: a whole file may be shifted."""
    separation = []
    for state, shift in enumerate(SHIFTS):
        pairing.fit(np.full(pairing.rows, state))
        usable_N = pairing.partner(shift)[1]
        separation.append(pairing.evidence(shift)[usable_N].mean() if usable_N.any() else -np.inf)
    return np.full(pairing.rows, int(np.argmax(separation)))


def _runs(state_N: np.ndarray, evidence_NS: np.ndarray) -> list[Run]:
    edges = [0, *(np.flatnonzero(np.diff(state_N)) + 1).tolist(), len(state_N)]
    runs = []
    for start, stop in zip(edges, edges[1:], strict=False):
        state = int(state_N[start])
        if state != 0:
            gain = float((evidence_NS[start:stop, state] - evidence_NS[start:stop, 0]).sum())
            runs.append(Run(start, stop, None if state == UNMATCHED else SHIFTS[state], gain))
    return runs


def _frayed_edges(runs: Sequence[Run], evidence_N: np.ndarray) -> list[Run]:
    """Return the few rows beside faulty runs that speak against being aligned: where a shift begins, a row is lost."""
    faulty = {row for run in runs for row in range(run.start, run.stop)}
    edges = []
    for run in runs:
        for row, step in ((run.start - 1, -1), (run.stop, 1)):
            reach = 0
            while 0 <= row < len(evidence_N) and row not in faulty and evidence_N[row] < 0 and reach < max(SHIFTS):
                edges.append(Run(row, row + 1, None, float(-evidence_N[row])))
                faulty.add(row)
                row, reach = row + step, reach + 1
    return edges


def viterbi(evidence_NS: np.ndarray, change_rate: float) -> np.ndarray:
    """Return the likeliest sequence of states (N,) when the state changes with probability `change_rate` a row.

    >>> viterbi(np.array([[3.0, 0.0], [-9.0, 0.0], [-9.0, 0.0], [9.0, 0.0]]), 0.01)
    array([0, 1, 1, 0], dtype=int8)
    """
    rows, states = evidence_NS.shape
    stay, change = np.log1p(-change_rate), np.log(change_rate / (states - 1))
    same_S = np.arange(states)
    best_S = np.where(same_S == 0, stay, change) + evidence_NS[0]
    origin_NS = np.empty((rows, states), dtype=np.int8)
    for row in range(1, rows):
        leader = int(best_S.argmax())
        moved, stayed_S = best_S[leader] + change, best_S + stay
        origin_NS[row] = np.where(stayed_S >= moved, same_S, leader)
        best_S = np.maximum(stayed_S, moved) + evidence_NS[row]
    state_N = np.empty(rows, dtype=np.int8)
    state = int(best_S.argmax())
    for row in range(rows - 1, -1, -1):
        state_N[row] = state
        state = int(origin_NS[row, state]) if row else state
    return state_N


class _Pairing:
    """Lengths and anchors of both sides, and the evidence that they give for a pair of rows."""

    def __init__(self, english: Sequence[str], foreign: Sequence[str]):
        self.rows = len(english)
        self.row_N = np.arange(self.rows)
        self.empty_english_N = np.array([not text.strip() for text in english])
        self.empty_foreign_N = np.array([not text.strip() for text in foreign])
        self.english_length_N = np.log([len(text) + 4 for text in english])
        self.foreign_length_N = np.log([len(text) + 4 for text in foreign])
        quintiles = np.quantile(self.english_length_N, np.arange(1, _LENGTH_CLASSES) / _LENGTH_CLASSES)
        self.class_N = np.digitize(self.english_length_N, quintiles)
        self.english_NV, self.foreign_NV, weight_V = _anchor_matrices(english, foreign)
        self.english_weight_N = self.english_NV @ weight_V
        self.foreign_weight_N = self.foreign_NV @ weight_V
        self.english_NV = sparse.csr_matrix(self.english_NV @ sparse.diags(weight_V))
        self._shared: dict[int, np.ndarray] = {}

    def partner(self, shift: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the foreign row (N,) that each English row gets, and whether both exist and are not empty (N,)."""
        partner_N = self.row_N + shift
        inside_N = (partner_N >= 0) & (partner_N < self.rows)
        partner_N = np.where(inside_N, partner_N, 0)
        return partner_N, inside_N & ~self.empty_english_N & ~self.empty_foreign_N[partner_N]

    def raw_match(self, shift: int) -> tuple[float, float]:
        """Return the correlation of the lengths and the mean weight of shared anchors at a shift."""
        partner_N, usable_N = self.partner(shift)
        if not usable_N.any():
            return 0.0, 0.0
        lengths = self.english_length_N[usable_N], self.foreign_length_N[partner_N[usable_N]]
        correlation = float(np.corrcoef(*lengths)[0, 1]) if min(side.std() for side in lengths) > 0 else 0.0
        return correlation, float(self._common_weight(partner_N)[usable_N].mean())

    def _common_weight(self, partner_N: np.ndarray) -> np.ndarray:
        return np.asarray(self.english_NV.multiply(self.foreign_NV[partner_N]).sum(axis=1)).ravel()

    def shared(self, shift: int) -> np.ndarray:
        """Return the class (N,) of the weighted Dice coefficient of the two rows' anchors."""
        if shift not in self._shared:
            partner_N, _ = self.partner(shift)
            total_N = self.english_weight_N + self.foreign_weight_N[partner_N]
            dice_N = np.where(total_N > 0, 2 * self._common_weight(partner_N) / np.maximum(total_N, 1e-9), -1.0)
            self._shared[shift] = np.digitize(dice_N, _SHARED_EDGES).astype(np.int8)
        return self._shared[shift]

    def residual(self, shift: int) -> np.ndarray:
        """Return the class (N,) of the length residual, apart for each class of English length."""
        partner_N, _ = self.partner(shift)
        expected_N = self.intercept + self.slope * self.english_length_N
        size_N = np.abs(self.foreign_length_N[partner_N] - expected_N) / self.spread[self.class_N]
        return self.class_N * (len(_RESIDUAL_EDGES) + 1) + np.digitize(size_N, _RESIDUAL_EDGES)

    def fit(self, state_N: np.ndarray) -> None:
        """Estimate how lengths and anchors of true pairs (those of `state_N`) differ from those of wrong pairs."""
        chosen = [(shift, self.partner(shift)[1] & (state_N == state)) for state, shift in enumerate(SHIFTS)]
        x = np.concatenate([self.english_length_N[chosen_N] for _, chosen_N in chosen])
        y = np.concatenate([self.foreign_length_N[self.partner(shift)[0][chosen_N]] for shift, chosen_N in chosen])
        classes = np.concatenate([self.class_N[chosen_N] for _, chosen_N in chosen])
        self.intercept, self.slope, residuals = _robust_line(x, y)
        overall = np.median(residuals) + 1e-3 if len(residuals) else 1.0
        self.spread = np.full(_LENGTH_CLASSES, overall)
        for number in range(_LENGTH_CLASSES):
            members = residuals[classes == number]
            if len(members) > 10:
                self.spread[number] = np.median(members) + 1e-3
        wrong = [(offset, self.partner(offset)[1]) for offset in WRONG_OFFSETS]
        true, false = (np.concatenate([self.residual(s)[n] for s, n in some]) for some in (chosen, wrong))
        self.length_evidence = _log_ratio(true, false, _LENGTH_CLASSES, len(_RESIDUAL_EDGES) + 1)
        true, false = (np.concatenate([self.shared(s)[n] for s, n in some]) for some in (chosen, wrong))
        self.shared_evidence = _log_ratio(true, false, 1, len(_SHARED_EDGES) + 1)

    def evidence(self, shift: int) -> np.ndarray:
        """Return the log-likelihood ratio (N,) "true pair" to "wrong pair" of every row with its partner."""
        partner_N, usable_N = self.partner(shift)
        evidence_N = self.length_evidence[self.residual(shift)] + self.shared_evidence[self.shared(shift)]
        outside_N = (self.row_N + shift < 0) | (self.row_N + shift >= self.rows)
        return np.where(usable_N, evidence_N, np.where(outside_N, _OUTSIDE, 0.0))


def _anchor_matrices(
    english: Sequence[str], foreign: Sequence[str]
) -> tuple[sparse.csr_matrix, sparse.csr_matrix, np.ndarray]:
    """Return two 0/1 matrices (N, V) over the anchors that occur on both sides, and the anchors' weights (V,)."""
    sides = [[anchors(text) for text in side] for side in (english, foreign)]
    counts = [Counter(anchor for row in side for anchor in row) for side in sides]
    limit = max(_COMMON * len(english), 20)
    both = sorted(a for a in counts[0] if a in counts[1] and max(counts[0][a], counts[1][a]) <= limit)
    number = {anchor: index for index, anchor in enumerate(both)}
    weight_V = np.array([np.log(2 * len(english) / (counts[0][a] + counts[1][a])) for a in both])
    matrices = []
    for side in sides:
        columns = [sorted(number[anchor] for anchor in row if anchor in number) for row in side]
        ends = np.cumsum([0, *(len(row) for row in columns)])
        flat = np.fromiter((column for row in columns for column in row), dtype=np.int32, count=int(ends[-1]))
        matrices.append(sparse.csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(english), len(both))))
    return matrices[0], matrices[1], weight_V


def _robust_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Fit y = intercept + slope x by reweighted least squares (Cauchy weights); also return the residuals' sizes."""
    if len(x) < 3 or np.ptp(x) < 1e-6:
        return (float(np.median(y - x)) if len(x) else 0.0), 1.0, np.abs(y - x)
    weight = np.ones(len(x))
    for _ in range(10):
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        variance = np.average((x - mean_x) ** 2, weights=weight)
        slope = np.average((x - mean_x) * (y - mean_y), weights=weight) / max(variance, 1e-9)
        intercept = mean_y - slope * mean_x
        size = np.abs(y - intercept - slope * x)
        weight = 1 / (1 + (size / (np.median(size) + 1e-6)) ** 2)
    return float(intercept), float(slope), size


def _log_ratio(true: np.ndarray, wrong: np.ndarray, groups: int, group_size: int) -> np.ndarray:
    """Return log(share among true pairs / share among wrong pairs) of every class, smoothed towards 0."""
    true_GC, wrong_GC = (
        np.bincount(values, minlength=groups * group_size).reshape(groups, group_size) for values in (true, wrong)
    )
    wrong_share_GC = (wrong_GC + 0.5) / (wrong_GC + 0.5).sum(axis=1, keepdims=True)
    smoothed_GC = true_GC + 5 * wrong_share_GC
    return np.log(smoothed_GC / smoothed_GC.sum(axis=1, keepdims=True) / wrong_share_GC).ravel()
