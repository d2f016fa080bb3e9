"""Ways to build a vocabulary and ways to cut a word with it, side by side on the same plays.

Byte-pair encoding by three scores, with words found by GPT-2's pattern, by blanks only, or not at all; WordPiece;
the longest match instead of merges in order; the unigram model, at its best and with segmentations drawn at random.
All start from the same bytes and end with as many tokens, so nothing is ever unknown.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.kit import plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds
from experiments.week02_tokens import bpe, corpora, merge_strategies, unigram, wordpiece
from experiments.week02_tokens import entropy as bits
from experiments.week02_tokens.pretokens import (
    ALPHABET,
    Split,
    count_words,
    encoded_size,
    from_visible,
    to_bytes,
    visible,
    words,
)

TITLE = "Merge strategies and methods"
QUESTION = "Which way of building a vocabulary of a given size compresses best, and in what do the ways differ?"
LIMITS = (
    "One author in one language; in languages that join many parts into a word the order of the methods may differ.",
    "A code over single tokens is not a language model: which vocabulary helps one most is another question.",
    "All methods were given bytes to start from; their original forms start from characters.",
    "Seconds are processor time of this code on one thread of one machine, and say little about tuned libraries.",
    "WordPiece's original trainer is unpublished; the form in common use was taken.",
    "The ratio depends on how often a pair must occur before it may be merged, which was set once and not varied.",
)
TIMED = False  # processor time, which points running side by side hardly disturb

METHODS = {
    "bpe": "BPE",
    "blank": "BPE, blanks only",
    "line": "BPE, no words",
    "gain": "merging by gain",
    "ratio": "merging by ratio",
    "wordpiece": "WordPiece",
    "longest": "BPE, longest match",
    "unigram": "unigram",
}
SAMPLED = {"a50": 0.5, "a20": 0.2, "a10": 0.1}
LEAST = 10  # times a pair must occur for the ratio score, which loves the rare
RENYI = 2.5


@dataclass(frozen=True)
class Scale:
    """What a budget changes: tokens, characters to train on and to test, words to draw for, seeds."""

    vocabulary: int
    train: int
    test: int
    drawn: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(512, 40_000, 15_000, 200, 3),
    "small": Scale(4096, 1_000_000, 300_000, 2_000, 5),
    "full": Scale(4096, 4_000_000, 1_000_000, 10_000, 20),
}


@dataclass(frozen=True)
class Method:
    """One way, at one size."""

    name: str
    vocabulary: int
    train: int
    test: int


@dataclass(frozen=True)
class Drawn:
    """The unigram model with segmentations drawn at several exponents, for the first `words` words."""

    vocabulary: int
    train: int
    words: int


def sweep(budget: Budget) -> Sequence[Point]:
    """All methods and the draws, over seeds that choose the plays held out."""
    scale = SCALES[budget]
    configs: list[Any] = [Method(name, scale.vocabulary, scale.train, scale.test) for name in METHODS]
    configs.append(Drawn(scale.vocabulary, scale.train, scale.drawn))
    return [Point(config, seed) for config in configs for seed in range(scale.seeds)]


@dataclass(frozen=True)
class Cut:
    """A trained way: its tokens as bytes, and a function from text to their ids."""

    tokens: Sequence[bytes]
    encode: Callable[[str], list[int]]


def build(name: str, train: Sequence[str], vocabulary: int, log: Log) -> Cut:
    """Train the way called `name`."""
    if name in ("bpe", "blank", "line"):
        split: Split = {"bpe": "gpt2", "blank": "blank", "line": "line"}[name]  # type: ignore[assignment]
        model = bpe.train(train, bpe.Config(vocabulary, split))
        return Cut(model.tokens, bpe.encoder(model))
    counts = count_words(train)
    if name == "longest":
        model = bpe.train_on_words(counts, bpe.Config(vocabulary))
        return _longest(model.tokens)
    alphabet = [visible(bytes([b])) for b in ALPHABET]
    spelt = {visible(to_bytes(word)): n for word, n in counts.items()}
    if name == "unigram":
        config = unigram.Config(vocabulary)
        learnt = unigram.train(spelt, config, lambda n, nats: log({"tokens": n, "nats": nats}), alphabet)
        by_words = unigram.encoder(learnt)
        return Cut([from_visible(t) for t in learnt.tokens], _over_words(by_words))
    if name == "wordpiece":
        pieces = wordpiece.train(spelt, wordpiece.Config(vocabulary, "ratio", LEAST), alphabet)
        names = [from_visible(t.removeprefix(wordpiece.MARK)) if t != wordpiece.UNKNOWN else b"" for t in pieces.tokens]
        return Cut(names, _over_words(wordpiece.encoder(pieces)))
    score: merge_strategies.Score = "gain" if name == "gain" else "ratio"
    merged = merge_strategies.train(
        list(spelt),
        list(spelt.values()),
        merge_strategies.Config(vocabulary, score, LEAST),
        alphabet=alphabet,
    )
    model = bpe.BPE(tuple(from_visible(t) for t in merged.tokens), merged.merges, merged.made)
    return Cut(model.tokens, bpe.encoder(model))


def _over_words(encode: Callable[[Sequence[str]], list[int]]) -> Callable[[str], list[int]]:
    return lambda text: encode([visible(to_bytes(word)) for word in words(text)])


def _longest(tokens: Sequence[bytes]) -> Cut:
    """Cut words by the longest token that fits, from the left: WordPiece's rule with another vocabulary."""
    spelt = [visible(token) for token in tokens]
    marked = wordpiece.WordPiece((wordpiece.UNKNOWN, *spelt, *(wordpiece.MARK + t for t in spelt)))
    encode = wordpiece.encoder(marked)
    n = len(tokens)
    return Cut(tokens, _over_words(lambda each: [(i - 1) % n for i in encode(each)]))


def measure(config: Method | Drawn, seed: int, log: Log) -> Mapping[str, Any]:
    """Train, encode what was held out, and describe the tokens."""
    train, test = corpora.split_plays(seed)
    if isinstance(config, Drawn):
        return _drawn(config, corpora.first(train, config.train), test, seed)
    train, test = corpora.first(train, config.train), corpora.first(test, config.test)
    start = time.process_time()
    cut = build(config.name, train, config.vocabulary, log)
    trained = time.process_time() - start
    start = time.process_time()
    held = [cut.encode(text) for text in test]
    encoded = time.process_time() - start
    V = len(cut.tokens)
    ids = np.array([i for each in held for i in each])
    seen = np.bincount([i for text in train for i in cut.encode(text)], minlength=V)
    used = np.bincount(ids, minlength=V)
    size = encoded_size(test)
    assert sum(len(cut.tokens[i]) for i in ids) == size, "tokens spell another text"
    spelt = [word for text in test for word in words(text) if word.strip().isalpha()]
    alone = [len(cut.encode(word)) for word in spelt]
    return {
        "tokens": V,
        "bytes_per_token": size / len(ids),
        "fertility": sum(alone) / len(alone),
        "bits": bits.bits_per_byte(bits.cross_entropy(used, seen + 0.5), len(ids), size),
        "used": float((used > 0).mean()),
        "renyi": bits.renyi_efficiency(used, RENYI),
        "length": float(np.mean([len(t) for t in cut.tokens])),
        "crossing": float(np.mean([b" " in t.strip() for t in cut.tokens])),
        "dead": float((seen == 0).mean()),
        "train_seconds": trained,
        "encode_speed": size / 1e6 / encoded,
    }


def _drawn(config: Drawn, train: Sequence[str], test: Sequence[str], seed: int) -> Mapping[str, Any]:
    """Subword regularisation: how much longer drawn segmentations are, and how often they are the best one."""
    spelt = {visible(to_bytes(word)): n for word, n in count_words(train).items()}
    ready = unigram.known(unigram.train(spelt, unigram.Config(config.vocabulary)))
    each = [visible(to_bytes(word)) for text in test for word in words(text)][: config.words]
    best = [unigram.viterbi(ready, word)[1] for word in each]
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for tag, alpha in SAMPLED.items():
        draws = [unigram.sample(ready, word, alpha, rng) for word in each]
        found[tag] = {
            "longer": sum(map(len, draws)) / sum(map(len, best)),
            "same": sum(a == b for a, b in zip(draws, best, strict=True)) / len(each),
        }
    return found


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Parameters, every method, every exponent."""
    methods = [o for o in outcomes if isinstance(o.config, Method)]
    drawn = [o for o in outcomes if isinstance(o.config, Drawn)]
    config = methods[0].config
    made = [
        parameter("merge.seeds", len(drawn), "seeds", "random choices of the plays held out", fmt="d"),
        parameter("merge.methods", len(METHODS), "methods", "ways of building and using a vocabulary", fmt="d"),
        parameter("merge.vocabulary", config.vocabulary, "tokens", "tokens of every vocabulary", fmt=",d"),
        parameter("merge.train", config.train, "characters", "characters of plays trained on", fmt=",d"),
        parameter("merge.test", config.test, "characters", "characters of held-out plays encoded", fmt=",d"),
        parameter("merge.least", LEAST, "occurrences", "times a pair must occur to be merged by ratio or gain", fmt="d"),
        parameter("merge.drawn", drawn[0].config.words, "words", "words whose segmentation is drawn at random", fmt=",d"),
        parameter("merge.renyi_order", RENYI, "order", "order of the Rényi efficiency", fmt=".1f"),
    ]  # fmt: skip
    for name, label in METHODS.items():
        made += _method_facts(f"merge.{name}", label, [o for o in methods if o.config.name == name])
    for tag, alpha in SAMPLED.items():
        made += [
            parameter(f"merge.drawn.{tag}.alpha", alpha, "exponent", "an exponent at which segmentations are drawn", fmt=".1f"),
            over_seeds(f"merge.drawn.{tag}.longer", drawn, entry(tag, "longer"), "times", f"tokens of drawn segmentations over those of the best, exponent {alpha}", ".2f", ".1f"),
            over_seeds(f"merge.drawn.{tag}.same", drawn, entry(tag, "same"), "fraction", f"share of words whose drawn segmentation is the best one, exponent {alpha}", ".0%"),
        ]  # fmt: skip
    return made


def _method_facts(key: str, label: str, own: Sequence[Outcome]) -> list[Fact]:
    return [
        over_seeds(f"{key}.bytes_per_token", own, entry("bytes_per_token"), "bytes per token", f"{label}: bytes a token of held-out plays", ".3f", ".2f", better="higher"),
        over_seeds(f"{key}.fertility", own, entry("fertility"), "tokens per word", f"{label}: tokens a word of held-out plays", ".2f", ".1f", better="lower"),
        over_seeds(f"{key}.bits", own, entry("bits"), "bits per byte", f"{label}: bits a byte of held-out plays under a code fitted to the training plays' token counts", ".3f", ".2f", better="lower"),
        over_seeds(f"{key}.used", own, entry("used"), "fraction", f"{label}: share of the vocabulary that held-out plays use", ".0%", better="higher"),
        over_seeds(f"{key}.dead", own, entry("dead"), "fraction", f"{label}: share of the vocabulary that the training plays themselves never use once encoded", ".1%", ".0%", better="lower"),
        over_seeds(f"{key}.renyi", own, entry("renyi"), "efficiency", f"{label}: Rényi efficiency of the tokens of held-out plays", ".3f", ".2f", better="higher"),
        over_seeds(f"{key}.length", own, entry("length"), "bytes", f"{label}: bytes of a token, mean over the vocabulary", ".2f", ".1f"),
        over_seeds(f"{key}.crossing", own, entry("crossing"), "fraction", f"{label}: share of the vocabulary that reaches over a blank into another word", ".1%", ".0%"),
        over_seeds(f"{key}.train_seconds", own, entry("train_seconds"), "s", f"{label}: processor time to train", ".2f", ".1f", better="lower", machine=True, tolerance=4.0),
        over_seeds(f"{key}.encode_speed", own, entry("encode_speed"), "megabytes per second", f"{label}: speed of encoding held-out plays by processor time, nothing remembered", ".1f", ".1f", better="higher", machine=True, tolerance=4.0),
    ]  # fmt: skip


def derived() -> Sequence[Derivation]:
    """Differences from byte-pair encoding."""
    made = []
    for name in ("blank", "line", "gain", "ratio", "wordpiece", "longest", "unigram"):
        made.append(derive(f"merge.{name}.advantage", "percent_change", f"merge.{name}.bytes_per_token", "merge.bpe.bytes_per_token", description=f"{METHODS[name]}: bytes a token against BPE", fmt=".1f", plain_fmt=".0f", better="higher"))  # fmt: skip
        made.append(derive(f"merge.{name}.bits_change", "percent_change", f"merge.{name}.bits", "merge.bpe.bits", description=f"{METHODS[name]}: bits a byte against BPE", fmt=".1f", plain_fmt=".0f", better="lower"))  # fmt: skip
    return made


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim(
            "merge.claim.coarser_words_pack_more",
            "all_seeds",
            "merge.bpe.bytes_per_token",
            "merge.blank.bytes_per_token",
            says="How words are cut beforehand matters more than how they are merged: cutting at blanks only, the same algorithm packs {val}`merge.blank.bytes_per_token` bytes into a token, with GPT-2's pattern {val}`merge.bpe.bytes_per_token`, on every seed.",
            plain="What counts as a word decides most: if words are cut at blanks only, with their punctuation, tokens hold {val}`merge.blank.bytes_per_token` bytes instead of {val}`merge.bpe.bytes_per_token`.",
        ),
        claim(
            "merge.claim.coarser_words_save_bits",
            "all_seeds",
            "merge.blank.bits",
            "merge.bpe.bits",
            says="Its code is shorter as well, {val}`merge.blank.bits` bits a byte against {val}`merge.bpe.bits`: GPT-2's pattern, which keeps words and signs apart, pays for tidy tokens with compression.",
            plain="The text also needs fewer bits that way, {val}`merge.blank.bits` instead of {val}`merge.bpe.bits` for each byte. Keeping words and signs apart is tidy, not free.",
        ),
        claim(
            "merge.claim.no_words_is_no_better",
            "all_seeds",
            "merge.bpe.bits",
            "merge.line.bits",
            says="Without any words the merges run across blanks: {val}`merge.line.crossing` of the vocabulary does, tokens hold {val}`merge.line.bytes_per_token` bytes, and yet the text needs more bits, {val}`merge.line.bits` a byte.",
            plain="Dropping words altogether makes tokens longer, {val}`merge.line.bytes_per_token` bytes, but the text still needs more bits: {val}`merge.line.bits` for each byte.",
        ),
        claim(
            "merge.claim.without_words_words_break",
            "ratio_at_least",
            "merge.line.fertility",
            "merge.bpe.fertility",
            bound=1.4,
            says="A word met by itself then falls into {val}`merge.line.fertility` tokens, where it takes {val}`merge.bpe.fertility` otherwise.",
            plain="A single word then falls into {val}`merge.line.fertility` pieces instead of {val}`merge.bpe.fertility`.",
        ),
        claim(
            "merge.claim.longer_is_not_shorter",
            "greater",
            "merge.line.bytes_per_token",
            "merge.bpe.bytes_per_token",
            bound=0.2,
            says="So longer tokens are no proof of a better code: merging without words gains {val}`merge.line.advantage` in bytes a token and changes the bits by {val}`merge.line.bits_change`.",
            plain="Longer tokens do not prove a better vocabulary: here they come {val}`merge.line.advantage` longer and the text {val}`merge.line.bits_change` longer.",
        ),
        claim(
            "merge.claim.gain_saves_bits",
            "all_seeds",
            "merge.gain.bits",
            "merge.bpe.bits",
            says="Merging for likelihood rather than count does what it promises: fewer bits on every seed, by {val}`merge.gain.bits_change`, with tokens that hold less, by {val}`merge.gain.advantage`.",
            plain="Choosing merges by how much they help a code, rather than by how frequent they are, saves a little: {val}`merge.gain.bits_change` of the bits.",
        ),
        claim(
            "merge.claim.ratio_chases_the_rare",
            "ratio_at_most",
            "merge.ratio.bytes_per_token",
            "merge.bpe.bytes_per_token",
            bound=0.7,
            says="The bare ratio chases rare pairs: even with a minimum of {val}`merge.least` occurrences its tokens hold {val}`merge.ratio.bytes_per_token` bytes of text, although they are as long in the vocabulary, and {val}`merge.ratio.dead` of them end up unused in the training text itself.",
            plain="Preferring pairs that belong together, however rare, goes wrong: {val}`merge.ratio.dead` of the vocabulary is then not used even in the text it was made from.",
        ),
        claim(
            "merge.claim.ratio_costs_bits",
            "all_seeds",
            "merge.bpe.bits",
            "merge.ratio.bits",
            says="In bits the ratio costs {val}`merge.ratio.bits_change` more, and WordPiece, which uses it and needs each letter in a form for beginnings and a form for the rest, {val}`merge.wordpiece.bits_change`.",
            plain="In bits that costs {val}`merge.ratio.bits_change`, and {val}`merge.wordpiece.bits_change` for WordPiece, which is built on it.",
        ),
        claim(
            "merge.claim.order_hardly_matters",
            "within",
            "merge.bpe.bytes_per_token",
            "merge.longest.bytes_per_token",
            bound=0.03,
            says="How a word is cut with a given vocabulary hardly matters: the longest match gets {val}`merge.longest.bytes_per_token` bytes a token, merges in order {val}`merge.bpe.bytes_per_token`.",
            plain="With the same vocabulary, the simple rule of always taking the longest token does as well as replaying the merges: {val}`merge.longest.bytes_per_token` and {val}`merge.bpe.bytes_per_token` bytes.",
        ),
        claim(
            "merge.claim.unigram_holds_less",
            "all_seeds",
            "merge.unigram.bytes_per_token",
            "merge.bpe.bytes_per_token",
            says="The unigram model packs less into a token than byte-pair encoding, {val}`merge.unigram.bytes_per_token` bytes against {val}`merge.bpe.bytes_per_token`, on every seed.",
            plain="The unigram method puts slightly less text into a token, {val}`merge.unigram.bytes_per_token` bytes.",
        ),
        claim(
            "merge.claim.unigram_codes_as_well",
            "within",
            "merge.bpe.bits",
            "merge.unigram.bits",
            bound=0.02,
            says="In bits they are level, {val}`merge.unigram.bits` and {val}`merge.bpe.bits` a byte: no difference that the seeds would show. It optimises the code, not the count.",
            plain="Measured in bits the unigram method and byte-pair encoding are level: {val}`merge.unigram.bits` and {val}`merge.bpe.bits`.",
        ),
        claim(
            "merge.claim.unigram_wastes_least",
            "all_seeds",
            "merge.unigram.dead",
            "merge.bpe.dead",
            says="It wastes fewer tokens: {val}`merge.unigram.dead` of them are never used on the training text, of byte-pair encoding's {val}`merge.bpe.dead`, which were needed only on the way to longer ones.",
            plain="It wastes less of its vocabulary: {val}`merge.unigram.dead` is never used, with byte-pair encoding {val}`merge.bpe.dead`, stepping stones on the way to longer tokens.",
        ),
        claim(
            "merge.claim.unigram_is_slow",
            "ratio_at_least",
            "merge.unigram.train_seconds",
            "merge.bpe.train_seconds",
            bound=2,
            says="It also takes the longest to train: {val}`merge.unigram.train_seconds` of processor time against {val}`merge.bpe.train_seconds`.",
            plain="It takes longer to build: {val}`merge.unigram.train_seconds` instead of {val}`merge.bpe.train_seconds`.",
        ),
        claim(
            "merge.claim.draws_get_longer",
            "increasing",
            "merge.drawn.a50.longer",
            "merge.drawn.a20.longer",
            "merge.drawn.a10.longer",
            bound=0.05,
            says="Drawing segmentations costs length: {val}`merge.drawn.a50.longer` the tokens of the best at an exponent of {val}`merge.drawn.a50.alpha`, {val}`merge.drawn.a10.longer` at {val}`merge.drawn.a10.alpha`.",
            plain="Cutting words at random, to make a model robust, makes texts longer: {val}`merge.drawn.a20.longer` the tokens at a middling setting, {val}`merge.drawn.a10.longer` at a bold one.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Compression against bits, and the draws."""
    methods = [o for o in outcomes if isinstance(o.config, Method)]
    drawn = [o for o in outcomes if isinstance(o.config, Drawn)]
    return [_methods(methods), _draws(drawn)]


def _methods(methods: Sequence[Outcome]) -> Figure:
    names = sorted(
        METHODS, key=lambda n: np.mean([o.metrics["bytes_per_token"] for o in methods if o.config.name == n])
    )
    panels = (("bytes_per_token", "bytes per token\n(more is better)"), ("bits", "bits per byte\n(less is better)"))
    values = {(n, m): [float(o.metrics[m]) for o in methods if o.config.name == n] for n in METHODS for m, _ in panels}

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            both = canvas.subplots(1, 2, sharey=True)
            ys = np.arange(len(names))
            for axes, (metric, label) in zip(both, panels, strict=True):
                for y, name in zip(ys, names, strict=True):
                    index = 1 if name == "bpe" else 0
                    each = values[name, metric]
                    axes.plot(each, [y] * len(each), linestyle="none", marker=".", color=plots.colour(theme, index), alpha=0.6)  # fmt: skip
                    axes.plot(np.mean(each), y, marker=plots.MARKERS[index], markersize=8, color=plots.colour(theme, index))  # fmt: skip
                axes.set(xlabel=label, ylim=(-0.6, len(names) - 0.4))
                axes.margins(x=0.12)
            both[0].set_yticks(ys, [METHODS[name] for name in names])

        return plots.figure(theme, 4.2, fill)

    return Figure(
        "merge_methods",
        "Ways to build and use a vocabulary of {val}`merge.vocabulary` tokens, on held-out plays: bytes a token, and bits a byte under a code fitted to token counts. The square is byte-pair encoding; small dots are single choices of plays.",
        "How much text a token holds (left) and how many bits the text then needs (right), for each way of building the vocabulary. They do not rank the ways alike.",
        "A pair of dot charts with a row for each method. The order from few to many bytes per token on the left is not the order of bits per byte on the right.",
        {
            "method": [METHODS[n] for n in names for _ in values[n, "bits"]],
            "bytes per token": [x for n in names for x in values[n, "bytes_per_token"]],
            "bits per byte": [x for n in names for x in values[n, "bits"]],
        },
        draw,
    )


def _draws(drawn: Sequence[Outcome]) -> Figure:
    tags = list(SAMPLED)
    longer = {tag: [float(o.metrics[tag]["longer"]) for o in drawn] for tag in tags}
    same = {tag: [float(o.metrics[tag]["same"]) for o in drawn] for tag in tags}

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            left, right = canvas.subplots(1, 2)
            ys = np.arange(len(tags))
            for axes, values, index, label in (
                (left, longer, 0, "tokens, best = 1"),
                (right, same, 1, "words cut the best way"),
            ):
                for y, tag in zip(ys, tags, strict=True):
                    axes.barh(y, float(np.mean(values[tag])), height=0.6, color=plots.colour(theme, index))
                    mean = float(np.mean(values[tag]))
                    text = f"{mean:.2f}" if index == 0 else f"{mean:.0%}"
                    axes.annotate(text, (mean, y), xytext=(4, 0), textcoords="offset points", va="center")
                axes.set_yticks(ys, [f"α = {SAMPLED[tag]}" for tag in tags])
                axes.set(xlabel=label, xlim=(0, 1.25 * max(max(v) for v in values.values())))
                axes.grid(axis="y", visible=False)
            right.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")

        return plots.figure(theme, 2.6, fill)

    return Figure(
        "merge_draws",
        "Subword regularisation: segmentations drawn from the unigram model in proportion to probability to the power α. The smaller the exponent, the longer and the more varied they are.",
        "Cutting words at random instead of the best way: the bolder the chance, the more pieces a word falls into and the more rarely the best cut is hit.",
        "A pair of bar charts. As the exponent falls, tokens per word rise and the share of words cut the best way falls.",
        {
            "alpha": [SAMPLED[tag] for tag in tags for _ in drawn],
            "seed": [o.seed for _ in tags for o in drawn],
            "longer": [x for tag in tags for x in longer[tag]],
            "same": [x for tag in tags for x in same[tag]],
        },
        draw,
    )
