"""The unigram model: a vocabulary with probabilities, and text as the likeliest way to spell it.

A word's probability sums over all its segmentations into tokens drawn independently. Training starts from many
substrings and alternates: expectation maximisation fits the probabilities (forward and backward sums over all
segmentations, equation 2), then the tokens whose loss would cost the likelihood least are dropped, until as many are
left as asked. Encoding takes the best segmentation (Viterbi); for subword regularisation others are drawn in
proportion to their probability to the power alpha (section 3.4).

Kudo 2018, "Subword regularization". As in its code (SentencePiece), a token's cost is judged by what replaces it: the
best segmentation of the token without itself. Different from it: probabilities are plain maximum likelihood, without
the digamma prior, so that the likelihood of the text never falls between prunings; words longer than `longest` symbols
are cut for training.

All words are handled at once: a *lattice* lists every place where a token fits in any word.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Occurrences that a token is given at least after a pruning: what is left must spell every word, also by tokens that
# were never needed while the dropped ones were there.
RESTART = 0.01


@dataclass(frozen=True)
class Config:
    """`vocabulary` tokens in all, `seeds` times as many to start from; `keep` of them survive each pruning.

    A candidate has at most `length` symbols and occurs at least `least` times. `steps` of EM lie between prunings.
    """

    vocabulary: int = 4096
    seeds: float = 8.0
    keep: float = 0.75
    length: int = 16
    least: int = 2
    steps: int = 2
    longest: int = 32


@dataclass(frozen=True)
class Unigram:
    """Tokens, likeliest first, and the natural logarithm of each one's probability."""

    tokens: tuple[str, ...]
    log_p: tuple[float, ...]


@dataclass(frozen=True)
class Lattice:
    """E places where a token fits: word, start, end and token (E,), sorted by end; W words with lengths and weights.

    Places that end at i are `ends[i]:ends[i + 1]`; `by_start` sorts them by start, with bounds `starts`.
    """

    word: Ints
    start: Ints
    end: Ints
    token: Ints
    ends: Ints
    by_start: Ints
    starts: Ints
    lengths: Ints
    weights: Floats


def _lattice(word: Ints, start: Ints, end: Ints, token: Ints, lengths: Ints, weights: Floats) -> Lattice:
    order = end.argsort(kind="stable")
    word, start, end, token = word[order], start[order], end[order], token[order]
    by_start = start.argsort(kind="stable")
    steps = np.arange(int(lengths.max(initial=0)) + 2)
    ends, starts = np.searchsorted(end, steps), np.searchsorted(start[by_start], steps)
    return Lattice(word, start, end, token, ends, by_start, starts, lengths, weights)


def lattice(words: Sequence[str], weights: Sequence[float], tokens: Sequence[str]) -> Lattice:
    """Every place of every word where a token fits."""
    id_of = {token: i for i, token in enumerate(tokens)}
    longest = max(map(len, tokens), default=0)
    get = id_of.get
    places = [
        (w, i, j, t)
        for w, each in enumerate(words)
        for i in range(len(each))
        for j in range(i + 1, min(len(each), i + longest) + 1)
        if (t := get(each[i:j])) is not None
    ]
    word, start, end, token = np.array(places, dtype=np.int64).reshape(-1, 4).T
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    return _lattice(word, start, end, token, lengths, np.asarray(weights, dtype=np.float64))


def restricted(lat: Lattice, new_id: Ints) -> Lattice:
    """The lattice of a smaller vocabulary: `new_id` (V,) renumbers its tokens, -1 for those that are gone."""
    token = new_id[lat.token]
    on = token >= 0
    return _lattice(lat.word[on], lat.start[on], lat.end[on], token[on], lat.lengths, lat.weights)


def forward(lat: Lattice, p: Floats) -> Floats:
    """(W, L + 1): the probability of all segmentations of each word's first i symbols."""
    W, L = len(lat.lengths), int(lat.lengths.max(initial=0))
    alpha = np.zeros((W, L + 1))
    alpha[:, 0] = 1.0
    for i in range(1, L + 1):
        e = slice(lat.ends[i], lat.ends[i + 1])
        word = lat.word[e]
        alpha[:, i] = np.bincount(word, weights=alpha[word, lat.start[e]] * p[lat.token[e]], minlength=W)
    return alpha


def backward(lat: Lattice, p: Floats) -> Floats:
    """(W, L + 1): the probability of all segmentations of each word from its symbol i on."""
    W, L = len(lat.lengths), int(lat.lengths.max(initial=0))
    beta = np.zeros((W, L + 1))
    beta[np.arange(W), lat.lengths] = 1.0
    for i in range(L - 1, -1, -1):
        e = lat.by_start[lat.starts[i] : lat.starts[i + 1]]
        word = lat.word[e]
        beta[:, i] += np.bincount(word, weights=beta[word, lat.end[e]] * p[lat.token[e]], minlength=W)
    return beta


def expectation(lat: Lattice, p: Floats) -> tuple[Floats, float]:
    """Expected count of each token (V,), and the log-likelihood of all words. Raises ValueError for a word that no
    tokens spell."""
    alpha, beta = forward(lat, p), backward(lat, p)
    Z = alpha[np.arange(len(lat.lengths)), lat.lengths]
    if not (Z > 0).all():
        raise ValueError(f"{int((Z <= 0).sum())} words cannot be spelt with these tokens")
    posterior = alpha[lat.word, lat.start] * p[lat.token] * beta[lat.word, lat.end] / Z[lat.word]
    expected = np.bincount(lat.token, weights=posterior * lat.weights[lat.word], minlength=len(p))
    return expected.astype(np.float64), float((lat.weights * np.log(Z)).sum())


def maximization(expected: Floats) -> Floats:
    """The probabilities (V,) that make the expected counts likeliest."""
    p: Floats = expected / expected.sum()
    return p


def best_log_p(lat: Lattice, log_p: Floats, *, but_whole: bool = False) -> tuple[Floats, Ints]:
    """Each word's best log-probability (W,), and the place (W, L + 1) by which the best way to each end arrives.

    `but_whole` leaves out the token that is the whole word. -inf and -1 where there is no way.
    """
    W, L = len(lat.lengths), int(lat.lengths.max(initial=0))
    best = np.full((W, L + 1), -np.inf)
    best[:, 0] = 0.0
    via = np.full((W, L + 1), -1, dtype=np.int64)
    for i in range(1, L + 1):
        e = np.arange(lat.ends[i], lat.ends[i + 1])
        if but_whole:
            e = e[(lat.start[e] > 0) | (lat.lengths[lat.word[e]] > i)]
        score = best[lat.word[e], lat.start[e]] + log_p[lat.token[e]]
        order = np.lexsort((score, lat.word[e]))  # the best place of each word comes last
        last = order[np.flatnonzero(np.diff(lat.word[e][order], append=-1))]
        better = last[score[last] > -np.inf]
        best[lat.word[e][better], i] = score[better]
        via[lat.word[e][better], i] = e[better]
    return best[np.arange(W), lat.lengths], via


def replacements(lat: Lattice, via: Ints) -> list[list[int]]:
    """The tokens along the best way through each word, backwards."""
    found: list[list[int]] = []
    for w, length in enumerate(lat.lengths.tolist()):
        way: list[int] = []
        i = length
        while i > 0 and via[w, i] >= 0:
            place = via[w, i]
            way.append(int(lat.token[place]))
            i = int(lat.start[place])
        found.append(way)
    return found


def costs(tokens: Sequence[str], expected: Floats) -> Floats:
    """(V,) what the log-likelihood loses when each token is replaced by its best segmentation without it.

    Inf for a token that nothing else spells.
    """
    total = float(expected.sum())
    with np.errstate(divide="ignore"):
        log_p = np.log(expected / total)
    lat = lattice(tokens, [1.0] * len(tokens), tokens)
    best, via = best_log_p(lat, log_p, but_whole=True)
    cost = np.full(len(tokens), np.inf)
    for i, way in enumerate(replacements(lat, via)):
        if not np.isfinite(best[i]):
            continue
        f = float(expected[i])
        if f == 0:
            cost[i] = 0.0
            continue
        after = math.log(total + f * (len(way) - 1))
        cost[i] = f * (math.log(f / total) - sum(math.log(expected[j] + f) - after for j in way))
    return cost


def candidates(counts: Mapping[str, int], config: Config, alphabet: Iterable[str] = ()) -> tuple[list[str], Floats]:
    """All symbols, then the substrings that cover most text (occurrences times length), with their counts."""
    single: Counter[str] = Counter(dict.fromkeys(alphabet, 0))
    longer: Counter[str] = Counter()
    for word, n in counts.items():
        for start in range(len(word)):
            single[word[start]] += n
            for end in range(start + 2, min(len(word), start + config.length) + 1):
                longer[word[start:end]] += n
    wanted = max(0, int(config.seeds * config.vocabulary) - len(single))
    frequent = ((n * len(piece), piece) for piece, n in longer.items() if n >= config.least)
    chosen = [piece for _, piece in heapq.nsmallest(wanted, frequent, key=lambda item: (-item[0], item[1]))]
    tokens = sorted(single) + chosen
    return tokens, np.array([single[t] if len(t) == 1 else longer[t] * len(t) for t in tokens], dtype=np.float64)


def clipped(counts: Mapping[str, int], longest: int) -> Counter[str]:
    """The words, those longer than `longest` symbols cut into stretches of that length."""
    cut: Counter[str] = Counter()
    for word, n in counts.items():
        for i in range(0, len(word), longest):
            cut[word[i : i + longest]] += n
    return cut


def train(
    counts: Mapping[str, int],
    config: Config = Config(),
    log: Callable[[int, float], None] | None = None,
    alphabet: Iterable[str] = (),
) -> Unigram:
    """Learn tokens and probabilities from words and how often each occurs.

    `log(tokens, log-likelihood)` sees every step of EM. Single symbols, seen in training or of the `alphabet`, are
    never dropped, so what they spell can always be encoded.

    Raises ValueError where the vocabulary is too small for the single symbols.
    """
    counts = clipped(counts, config.longest)
    tokens, expected = candidates(counts, config, alphabet)
    singles = sum(len(token) == 1 for token in tokens)
    if config.vocabulary < singles:
        raise ValueError(f"a vocabulary of {config.vocabulary} cannot hold the {singles} symbols of the text")
    lat = lattice(list(counts), list(counts.values()), tokens)
    p = maximization(expected)
    while True:
        for _ in range(config.steps):
            expected, likelihood = expectation(lat, p)
            p = maximization(expected)
            if log is not None:
                log(len(tokens), likelihood)
        if len(tokens) <= config.vocabulary:
            break
        cost = costs(tokens, expected)
        cost[[len(token) == 1 for token in tokens]] = np.inf
        wanted = max(config.vocabulary, int(len(tokens) * config.keep))
        kept = np.sort(np.argsort(-cost, kind="stable")[:wanted])
        new_id = np.full(len(tokens), -1, dtype=np.int64)
        new_id[kept] = np.arange(len(kept))
        tokens = [tokens[i] for i in kept]
        lat = restricted(lat, new_id)
        p = maximization(np.maximum(expected[kept], RESTART))
    floor = p[p > 0].min() / 2  # for symbols never seen, or always as part of something longer
    log_p = np.log(np.maximum(p, floor))
    order = np.argsort(-log_p, kind="stable")
    return Unigram(tuple(tokens[i] for i in order), tuple(float(log_p[i]) for i in order))


@dataclass(frozen=True)
class _Known:
    """A model ready to look up: log-probability by token, ids, the longest token and what an unknown symbol costs."""

    log_p: Mapping[str, float]
    id_of: Mapping[str, int]
    longest: int
    unknown: float


def known(model: Unigram) -> _Known:
    """Index the model. An unknown symbol costs ten nats more than the least likely token, as in SentencePiece."""
    log_p = dict(zip(model.tokens, model.log_p, strict=True))
    return _Known(log_p, {t: i for i, t in enumerate(model.tokens)}, max(map(len, model.tokens)), min(model.log_p) - 10)


def _steps(model: _Known, word: str, end: int) -> list[tuple[int, float]]:
    """(start, log-probability) of the tokens that end at `end`; an unknown symbol stands for itself."""
    found = [
        (start, model.log_p[word[start:end]])
        for start in range(max(0, end - model.longest), end)
        if word[start:end] in model.log_p
    ]
    if not found or found[-1][0] != end - 1:
        found.append((end - 1, model.unknown))
    return found


def viterbi(model: _Known, word: str) -> tuple[float, list[str]]:
    """The likeliest segmentation of a word and its log-probability."""
    best = [0.0]
    back = [0]
    for end in range(1, len(word) + 1):
        score, start = max((best[start] + log_p, -start) for start, log_p in _steps(model, word, end))
        best.append(score)
        back.append(-start)
    pieces = []
    end = len(word)
    while end > 0:
        pieces.append(word[back[end] : end])
        end = back[end]
    return best[-1], pieces[::-1]


def n_best(model: _Known, word: str, n: int) -> list[tuple[float, list[str]]]:
    """The n likeliest segmentations, best first, with their log-probabilities."""
    best: list[list[tuple[float, int, int]]] = [[(0.0, 0, 0)]]  # for each end: (score, start, rank at start)
    for end in range(1, len(word) + 1):
        ways = [
            (score + log_p, start, rank)
            for start, log_p in _steps(model, word, end)
            for rank, (score, _, _) in enumerate(best[start])
        ]
        best.append(heapq.nlargest(n, ways))
    found = []
    for score, start, rank in best[-1]:
        pieces, end = [word[start:]] if word else [], start
        while end > 0:
            _, start, rank = best[end][rank]
            pieces.append(word[start:end])
            end = start
        found.append((score, pieces[::-1]))
    return found


def sample(model: _Known, word: str, alpha: float, rng: np.random.Generator) -> list[str]:
    """A segmentation drawn in proportion to its probability to the power `alpha`.

    Forward sums, then a walk back from the end: alpha 0 draws all segmentations alike, a large one the best.
    """
    total = [0.0]
    for end in range(1, len(word) + 1):
        total.append(float(np.logaddexp.reduce([total[s] + alpha * lp for s, lp in _steps(model, word, end)])))
    pieces = []
    end = len(word)
    while end > 0:
        ways = _steps(model, word, end)
        chances = np.exp([total[s] + alpha * lp - total[end] for s, lp in ways])
        start = ways[int(rng.choice(len(ways), p=chances / chances.sum()))][0]
        pieces.append(word[start:end])
        end = start
    return pieces[::-1]


def encoder(model: Unigram) -> Callable[[Sequence[str]], list[int]]:
    """A function from words to ids, each by its likeliest segmentation; an unknown symbol is id -1."""
    ready = known(model)
    kept: dict[str, list[int]] = {}

    def encode(words: Sequence[str]) -> list[int]:
        ids: list[int] = []
        for word in words:
            if word not in kept:
                kept[word] = [ready.id_of.get(piece, -1) for piece in viterbi(ready, word)[1]]
            ids += kept[word]
        return ids

    return encode
