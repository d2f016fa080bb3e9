"""What does a larger vocabulary buy, and what does it cost?

Byte-pair vocabularies of doubling size, each holding the one before, on plays held out of training: bytes a token,
tokens a word, words that are one token; and on the other side tokens that are hardly ever seen and the share of a
model that the table of tokens takes. A second part asks what a vocabulary without bytes to fall back on cannot read.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.kit import data, plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.kit.summary import entry, over_seeds
from experiments.week02_tokens import bpe, corpora, wordpiece
from experiments.week02_tokens.pretokens import count_words, encoded_size, units, words

TITLE = "Vocabulary size"
QUESTION = "What does a larger vocabulary buy in compression and coverage, and what does it cost in tokens hardly seen?"
LIMITS = (
    "All sizes are for one author's plays; a larger and more varied corpus would keep larger vocabularies busy.",
    "Whether a rare token is learnt badly by a model was not measured here, only how rarely it is seen.",
    "The share of a model that its table takes is arithmetic for one model's shape, not a measurement.",
    "Held-out plays share their author and characters' stock phrases with the training plays, so coverage of other English is lower.",
)
TIMED = False

SIZES = {f"v{size}": size for size in (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)}
RARE = 10
BODY, WIDTH = 85_000_000, 768  # weights of GPT-2's smallest model without its tables, and the width of those
READ = {
    "plays": "plays held out",
    "folio": "plays in old spelling",
    "french": "French",
    "javascript": "JavaScript",
    "vietnamese": "Vietnamese",
    "russian": "Russian",
}


@dataclass(frozen=True)
class Scale:
    """What a budget changes: sizes, characters to train on and to test, and seeds."""

    sizes: tuple[tuple[str, int], ...]
    train: int
    test: int
    wordpiece: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(tuple((k, 256 + 60 * i) for i, k in enumerate(SIZES)), 60_000, 20_000, 600, 3),
    "small": Scale(tuple(SIZES.items()), 2_000_000, 300_000, 4096, 5),
    "full": Scale(tuple(SIZES.items()), 10_000_000, 1_000_000, 4096, 20),
}


@dataclass(frozen=True)
class Nested:
    """Vocabularies of all sizes from one training on `train` characters."""

    sizes: tuple[tuple[str, int], ...]
    train: int
    test: int


@dataclass(frozen=True)
class Unknown:
    """A vocabulary of characters and their combinations, without bytes to fall back on."""

    vocabulary: int
    train: int
    test: int


def sweep(budget: Budget) -> Sequence[Point]:
    """Both parts, over seeds that draw the plays held out."""
    scale = SCALES[budget]
    configs = (Nested(scale.sizes, scale.train, scale.test), Unknown(scale.wordpiece, scale.train, scale.test))
    return [Point(config, seed) for config in configs for seed in range(scale.seeds)]


def measure(config: Nested | Unknown, seed: int, log: Log) -> Mapping[str, Any]:
    """Train once, and look at every size."""
    train, test = corpora.split_plays(seed)
    train, test = corpora.first(train, config.train), corpora.first(test, config.test)
    return _nested(config, train, test, log) if isinstance(config, Nested) else _unknown(config, train, test, seed)


def _nested(config: Nested, train: Sequence[str], test: Sequence[str], log: Log) -> Mapping[str, Any]:
    largest = bpe.train(train, bpe.Config(max(size for _, size in config.sizes)))
    held = [unit for text in test for unit in units(text)]
    train_units = count_words(train, "blank")
    found: dict[str, Any] = {}
    for tag, size in config.sizes:
        model = bpe.truncated(largest, size)
        encode = bpe.encoder(model)
        V = len(model.tokens)
        seen = np.zeros(V, dtype=np.int64)
        for unit, n in train_units.items():
            np.add.at(seen, encode(unit), n)
        pieces = [len(encode(unit)) for unit in held]
        used = np.zeros(V, dtype=bool)
        for unit in set(held):
            used[encode(unit)] = True
        spelt = [len(encode(word)) for text in test for word in words(text) if word.strip().isalpha()]
        found[tag] = {
            "bytes_per_token": encoded_size(test) / sum(pieces),
            "fertility": sum(spelt) / len(spelt),
            "whole": sum(n == 1 for n in spelt) / len(spelt),
            "rare": float((seen < RARE).mean()),
            "used": float(used.mean()),
            "train_bytes_per_token": encoded_size(train) / float(seen.sum()),
        }
        log({"vocabulary": size, "bytes_per_token": found[tag]["bytes_per_token"]})
    return {"sizes": found, "train_bytes": encoded_size(train), "test_bytes": encoded_size(test)}


def _unknown(config: Unknown, train: Sequence[str], test: Sequence[str], seed: int) -> Mapping[str, Any]:
    """Shares of words that the vocabulary cannot spell, by what is read, and characters it has never seen."""
    counts = {word.strip(): n for word, n in count_words(train).items() if word.strip()}
    model = wordpiece.train(counts, wordpiece.Config(config.vocabulary, "count"))
    cut = wordpiece.cutter(model)
    unknown = model.tokens.index(wordpiece.UNKNOWN)
    texts = {
        "plays": test,
        "folio": corpora.first(corpora.shuffled(data.folio(), seed), config.test),
        "javascript": corpora.first([data.javascript_code()], config.test),
        "french": data.declaration("fra").parts,
        "vietnamese": data.declaration("vie").parts,
        "russian": data.declaration("rus").parts,
    }
    found: dict[str, float] = {}
    for kind, read in texts.items():
        each = [word.strip() for text in read for word in words(text) if word.strip()]
        found[kind] = sum(cut(word) == [unknown] for word in each) / len(each)
    return {"unknown": found, "characters": len({c for word in counts for c in word}), "tokens": len(model.tokens)}


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Every measure at every size; unknown words by kind of text."""
    nested = [o for o in outcomes if isinstance(o.config, Nested)]
    unknown = [o for o in outcomes if isinstance(o.config, Unknown)]
    config = nested[0].config
    made = [
        parameter("vocab.seeds", len(nested), "seeds", "random choices of the plays held out", fmt="d"),
        parameter("vocab.train", config.train, "characters", "characters trained on, at most", fmt=",d"),
        parameter("vocab.test", config.test, "characters", "characters of held-out plays, at most", fmt=",d"),
        parameter("vocab.rare_below", RARE, "occurrences", "occurrences in training below which a token counts as rare", fmt="d"),
        parameter("vocab.body", BODY, "weights", "weights of the smallest GPT-2 without its tables, rounded", fmt=",d"),
        parameter("vocab.width", WIDTH, "weights", "weights a token takes in the table of the smallest GPT-2", fmt="d"),
        parameter("vocab.unknown.vocabulary", unknown[0].config.vocabulary, "tokens", "tokens of the vocabulary without bytes", fmt=",d"),
        over_seeds("vocab.unknown.characters", unknown, entry("characters"), "characters", "distinct characters of the training plays", ".0f"),
    ]  # fmt: skip
    for tag, size in config.sizes:
        share = size * WIDTH / (size * WIDTH + BODY)
        made.append(parameter(f"vocab.{tag}.size", size, "tokens", "a vocabulary size that was tried", fmt=",d"))
        made.append(fact(f"vocab.{tag}.table", share, "fraction", f"share of a small GPT-2's weights that a table of {size} tokens takes", fmt=".1%", plain_fmt=".0%", kind="exact", better="lower"))  # fmt: skip
        made += _size_facts(tag, size, nested)
    for kind, label in READ.items():
        made.append(over_seeds(f"vocab.unknown.{kind}", unknown, entry("unknown", kind), "fraction", f"share of the words of {label} that characters seen in training cannot spell", ".3%" if kind == "plays" else ".1%", ".3%" if kind == "plays" else ".0%", better="lower"))  # fmt: skip
    return made


def _size_facts(tag: str, size: int, nested: Sequence[Outcome]) -> list[Fact]:
    where = f"with {size} tokens, on held-out plays"
    return [
        over_seeds(f"vocab.{tag}.bytes_per_token", nested, entry("sizes", tag, "bytes_per_token"), "bytes per token", f"bytes a token {where}", ".2f", ".1f", better="higher"),
        over_seeds(f"vocab.{tag}.fertility", nested, entry("sizes", tag, "fertility"), "tokens per word", f"tokens a word {where}", ".2f", ".1f", better="lower"),
        over_seeds(f"vocab.{tag}.whole", nested, entry("sizes", tag, "whole"), "fraction", f"share of the words that are one token {where}", ".1%", ".0%", better="higher"),
        over_seeds(f"vocab.{tag}.rare", nested, entry("sizes", tag, "rare"), "fraction", f"share of {size} tokens that occur fewer than {RARE} times in training", ".1%", ".0%", better="lower"),
        over_seeds(f"vocab.{tag}.used", nested, entry("sizes", tag, "used"), "fraction", f"share of {size} tokens that the held-out plays use", ".1%", ".0%", better="higher"),
        over_seeds(f"vocab.{tag}.train_bytes_per_token", nested, entry("sizes", tag, "train_bytes_per_token"), "bytes per token", f"bytes a token with {size} tokens, on the training plays", ".2f", ".1f", better="higher"),
    ]  # fmt: skip


def derived() -> Sequence[Derivation]:
    """What each doubling adds, and the gap between training and held-out plays."""
    made = []
    tags = list(SIZES)
    for low, high in pairwise(tags):
        made.append(derive(f"vocab.gain.{high}", "percent_change", f"vocab.{high}.bytes_per_token", f"vocab.{low}.bytes_per_token", description=f"bytes a token gained by doubling the vocabulary to {SIZES[high]}", fmt=".1f", plain_fmt=".0f", better="higher"))  # fmt: skip
    made += [
        derive("vocab.growth", "ratio", "vocab.v32768.size", "vocab.v1024.size", description="largest vocabulary over one of a thousand", fmt=".0f"),
        derive("vocab.growth_gain", "ratio", "vocab.v32768.bytes_per_token", "vocab.v1024.bytes_per_token", description="bytes a token of the largest vocabulary over those of one of a thousand", fmt=".2f", plain_fmt=".1f"),
        derive("vocab.overfit", "percent_change", "vocab.v32768.bytes_per_token", "vocab.v32768.train_bytes_per_token", description="bytes a token on held-out plays against the training plays, largest vocabulary", fmt=".1f", plain_fmt=".0f"),
        derive("vocab.small_overfit", "percent_change", "vocab.v1024.bytes_per_token", "vocab.v1024.train_bytes_per_token", description="bytes a token on held-out plays against the training plays, a vocabulary of a thousand", fmt=".1f", plain_fmt=".0f"),
    ]  # fmt: skip
    return made


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    tags = list(SIZES)
    return [
        claim(
            "vocab.claim.larger_packs_more",
            "increasing",
            *[f"vocab.{tag}.bytes_per_token" for tag in tags],
            says="Every doubling packs more into a token: from {val}`vocab.v512.bytes_per_token` bytes with {val}`vocab.v512.size` tokens to {val}`vocab.v32768.bytes_per_token` with {val}`vocab.v32768.size`.",
            plain="A larger vocabulary packs more text into each token: from {val}`vocab.v512.bytes_per_token` to {val}`vocab.v32768.bytes_per_token` bytes over the sizes that were tried.",
        ),
        claim(
            "vocab.claim.gains_shrink",
            "decreasing",
            *[f"vocab.gain.{tag}" for tag in tags[1:]],
            says="Every doubling gains less than the one before: {val}`vocab.gain.v1024` at {val}`vocab.v1024.size` tokens, {val}`vocab.gain.v8192` at {val}`vocab.v8192.size`, {val}`vocab.gain.v32768` at {val}`vocab.v32768.size`.",
            plain="Each doubling of the vocabulary helps less than the last: {val}`vocab.gain.v1024` early on, {val}`vocab.gain.v32768` at the end.",
        ),
        claim(
            "vocab.claim.size_is_a_weak_lever",
            "less",
            "vocab.growth_gain",
            "vocab.growth",
            bound=20,
            says="Vocabulary is a weak lever: {val}`vocab.growth` as many tokens give {val}`vocab.growth_gain` the bytes a token.",
            plain="Making the vocabulary {val}`vocab.growth` as large makes tokens only {val}`vocab.growth_gain` as long.",
        ),
        claim(
            "vocab.claim.words_become_tokens",
            "increasing",
            *[f"vocab.{tag}.whole" for tag in tags],
            says="Words turn into tokens: {val}`vocab.v1024.whole` of the words are one token at {val}`vocab.v1024.size`, {val}`vocab.v4096.whole` at {val}`vocab.v4096.size` and {val}`vocab.v32768.whole` at {val}`vocab.v32768.size`.",
            plain="With {val}`vocab.v1024.size` tokens {val}`vocab.v1024.whole` of the words are read in one go, with {val}`vocab.v32768.size` it is {val}`vocab.v32768.whole`.",
        ),
        claim(
            "vocab.claim.fertility_nears_one",
            "below",
            "vocab.v32768.fertility",
            "vocab.v16384.fertility",
            bound=1.2,
            says="Tokens a word approach their limit: {val}`vocab.v4096.fertility` at {val}`vocab.v4096.size` tokens, {val}`vocab.v32768.fertility` at {val}`vocab.v32768.size`; no token crosses a word, so they cannot fall below one.",
            plain="On average a word takes {val}`vocab.v4096.fertility` tokens with a vocabulary of {val}`vocab.v4096.size`, and hardly more than one with {val}`vocab.v32768.size`.",
        ),
        claim(
            "vocab.claim.rare_tokens_pile_up",
            "increasing",
            *[f"vocab.{tag}.rare" for tag in tags[3:]],
            bound=0.005,
            says="The price is tokens that are hardly ever seen: {val}`vocab.v4096.rare` of them occur fewer than {val}`vocab.rare_below` times in training at {val}`vocab.v4096.size`, {val}`vocab.v32768.rare` at {val}`vocab.v32768.size`.",
            plain="The price: with {val}`vocab.v32768.size` tokens, {val}`vocab.v32768.rare` of them turn up fewer than {val}`vocab.rare_below` times in all the training text.",
        ),
        claim(
            "vocab.claim.most_stay_idle",
            "decreasing",
            *[f"vocab.{tag}.used" for tag in tags[3:]],
            says="New text leaves ever more of the vocabulary idle: the held-out plays use {val}`vocab.v2048.used` of {val}`vocab.v2048.size` tokens and {val}`vocab.v32768.used` of {val}`vocab.v32768.size`.",
            plain="New plays use {val}`vocab.v2048.used` of a small vocabulary, but only {val}`vocab.v32768.used` of the largest.",
        ),
        claim(
            "vocab.claim.large_fits_its_training",
            "less",
            "vocab.overfit",
            "vocab.small_overfit",
            bound=1,
            says="Large vocabularies fit their training text: on held-out plays bytes a token change by {val}`vocab.overfit` against the training plays, with {val}`vocab.v1024.size` tokens by {val}`vocab.small_overfit`.",
            plain="A large vocabulary is tailored to what it was made from: on new plays its tokens are shorter by {val}`vocab.overfit`, those of a small one by {val}`vocab.small_overfit`.",
        ),
        claim(
            "vocab.claim.table_takes_over",
            "ratio_at_least",
            "vocab.v32768.table",
            "vocab.v1024.table",
            bound=10,
            says="And the table of tokens grows in proportion: from {val}`vocab.v1024.table` of the weights of a model shaped like the smallest GPT-2 to {val}`vocab.v32768.table`.",
            plain="A model must also store its vocabulary: {val}`vocab.v1024.table` of a small model with {val}`vocab.v1024.size` tokens, {val}`vocab.v32768.table` with {val}`vocab.v32768.size`.",
        ),
        claim(
            "vocab.claim.home_is_covered",
            "below",
            "vocab.unknown.plays",
            bound=0.001,
            says="Without bytes to fall back on, a vocabulary built from characters still reads more plays by the same author: {val}`vocab.unknown.plays` of their words are unknown.",
            plain="A vocabulary that knows only the letters it has seen reads new plays by the same author nearly without gaps: {val}`vocab.unknown.plays` of the words are unknown.",
        ),
        claim(
            "vocab.claim.accents_are_unknown",
            "increasing",
            "vocab.unknown.plays",
            "vocab.unknown.french",
            "vocab.unknown.vietnamese",
            "vocab.unknown.russian",
            bound=0.02,
            says="Elsewhere it is blind: {val}`vocab.unknown.french` of the words of the French declaration, {val}`vocab.unknown.vietnamese` of the Vietnamese and {val}`vocab.unknown.russian` of the Russian are unknown to it. Bytes spell them all.",
            plain="It is blind elsewhere: {val}`vocab.unknown.french` of French, {val}`vocab.unknown.vietnamese` of Vietnamese and {val}`vocab.unknown.russian` of Russian words are unknown to it. A vocabulary that falls back on bytes can read everything.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """What size buys; what it costs; what cannot be read."""
    nested = [o for o in outcomes if isinstance(o.config, Nested)]
    unknown = [o for o in outcomes if isinstance(o.config, Unknown)]
    return [_size(nested), _costs(nested), _unread(unknown)]


def _by_size(nested: Sequence[Outcome], name: str) -> list[list[float]]:
    return [[float(o.metrics["sizes"][tag][name]) for o in nested] for tag, _ in nested[0].config.sizes]


def _ticks(axes: Any, sizes: Sequence[int]) -> None:
    axes.set_xticks(sizes, [f"{v:,}" if v < 1000 else f"{v / 1024:.0f}k" for v in sizes])
    axes.xaxis.minorticks_off()


def _size(nested: Sequence[Outcome]) -> Figure:
    sizes = [v for _, v in nested[0].config.sizes]
    held, train = _by_size(nested, "bytes_per_token"), _by_size(nested, "train_bytes_per_token")

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xscale="log", xlabel="tokens in the vocabulary (log scale)", ylabel="bytes per token")
            series = [
                plots.Line("training\nplays", sizes, [float(np.mean(v)) for v in train], 1, points=train, dashed=True),
                plots.Line("held-out\nplays", sizes, [float(np.mean(v)) for v in held], 0, points=held),
            ]
            axes.set_ylim(0, 1.08 * max(map(max, train)))
            plots.lines(axes, theme, series, room=0.22)
            _ticks(axes, sizes)

        return plots.figure(theme, 4.0, fill)

    return Figure(
        "vocab_size",
        "Bytes a token by size of vocabulary, on the plays it was trained on and on plays held out. Every doubling gains less, and the curves part as the vocabulary begins to fit its training text. Dots are single choices of plays.",
        "How much text a token holds, by size of the vocabulary. The curve flattens: each doubling helps less. On plays the vocabulary has not seen (solid) it does a little worse.",
        "A chart on a logarithmic scale of size. Both curves rise and flatten; the one for training plays ends above the one for held-out plays.",
        {
            "vocabulary": [v for v in sizes for _ in nested],
            "seed": [o.seed for _ in sizes for o in nested],
            "held out": [x for xs in held for x in xs],
            "training": [x for xs in train for x in xs],
        },
        draw,
    )


def _costs(nested: Sequence[Outcome]) -> Figure:
    sizes = [v for _, v in nested[0].config.sizes]
    shown = (("whole", "words in\none token", 0), ("used", "tokens in use", 2), ("rare", "rare tokens", 1))
    values = {name: _by_size(nested, name) for name, _, _ in shown}

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xscale="log", xlabel="tokens in the vocabulary (log scale)", ylabel="share", ylim=(0, 1.03))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            series = [plots.Line(label, sizes, [float(np.mean(v)) for v in values[name]], index, points=values[name]) for name, label, index in shown]  # fmt: skip
            plots.lines(axes, theme, series, room=0.27)
            _ticks(axes, sizes)

        return plots.figure(theme, 4.0, fill)

    return Figure(
        "vocab_coverage",
        "What size buys and what it costs: words of held-out plays that are one token, tokens that the held-out plays use at all, and tokens that occur fewer than {val}`vocab.rare_below` times in training. At the small end these are bytes that the plays do not contain.",
        "A larger vocabulary reads more words in one go, but more and more of it lies idle or is hardly ever seen.",
        "A chart on a logarithmic scale of size. The share of whole words rises towards the top; the share of tokens in use falls at the large end, where the share of rare tokens rises.",
        {
            "vocabulary": [v for v in sizes for _ in nested],
            "seed": [o.seed for _ in sizes for o in nested],
            **{name: [x for xs in values[name] for x in xs] for name, _, _ in shown},
        },
        draw,
    )


def _unread(unknown: Sequence[Outcome]) -> Figure:
    kinds = sorted(READ, key=lambda kind: float(np.mean([o.metrics["unknown"][kind] for o in unknown])))
    values = {kind: [float(o.metrics["unknown"][kind]) for o in unknown] for kind in kinds}

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            ys = np.arange(len(kinds))
            means = [float(np.mean(values[kind])) for kind in kinds]
            axes.barh(ys, means, height=0.6, color=plots.colour(theme, 1))
            for y, mean in zip(ys, means, strict=True):
                axes.annotate(f"{mean:.1%}", (mean, y), xytext=(5, 0), textcoords="offset points", va="center")
            axes.set_yticks(ys, [READ[kind] for kind in kinds])
            axes.set(xlabel="words unknown without bytes", xlim=(0, max(means) * 1.18))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            axes.grid(axis="y", visible=False)

        return plots.figure(theme, 3.2, fill)

    return Figure(
        "vocab_unknown",
        "Words that a vocabulary of {val}`vocab.unknown.vocabulary` tokens built from characters of the training plays cannot spell, by what is read. With bytes to fall back on, every bar is zero by construction.",
        "Words that stay unreadable if the vocabulary knows only letters it has seen. A vocabulary that can fall back on bytes reads them all.",
        "A bar chart. Plays and old spelling have hardly any unknown words; French has some, Vietnamese many, and of Russian nearly all words are unknown.",
        {
            "text": [READ[kind] for kind in kinds for _ in unknown],
            "seed": [o.seed for _ in kinds for o in unknown],
            "unknown": [x for kind in kinds for x in values[kind]],
        },
        draw,
    )
