"""What does it cost to treat languages alike, and whom?

One vocabulary for many languages, trained on the same parallel text in different mixes: English alone, English against
all others together, equal bytes, equal content, and weights adjusted until every language needs about as many tokens
for the same content. Measured on parts of the text held out: tokens a language needs for the same sentences.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.kit import data, plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds
from experiments.week02_tokens import bpe, corpora
from experiments.week02_tokens.languages import LANGUAGES
from experiments.week02_tokens.pretokens import count_words, encoded_size

TITLE = "The cost of fairness between languages"
QUESTION = (
    "How unequal are languages in tokens for the same content, and what does evening them out cost the favoured one?"
)
LIMITS = (
    "Every vocabulary but GPT-2's is trained and tested on parts of one legal text, so all languages look better served than by a general corpus.",
    "English alone offers too little text here to fill the vocabulary, so what English pays is counted from the mix that is half English.",
    "Parts are held out, but phrases recur in all of them; what matters here are comparisons between mixes, not absolute counts.",
    "A premium in tokens is a premium in price and context length; what it does to the quality of a model was not measured.",
    "Parity of tokens is one notion of fairness; parity of speed, of price by reader or of quality may ask for other mixes.",
    "Translations differ in length, so perfect parity in tokens is not the same as treating every letter alike.",
)
TIMED = False

MIXES = {
    "gpt2": "GPT-2's own vocabulary",
    "english": "English alone",
    "tilted": "half English",
    "bytes": "equal bytes",
    "content": "equal content",
    "parity": "adjusted to parity",
}
SIZES = {"v1024": 1024, "v2048": 2048, "v4096": 4096, "v8192": 8192}
BASE = 4096
ROUNDS = 6
GRAIN = 1000  # weights are rounded to thousandths


@dataclass(frozen=True)
class Scale:
    """What a budget changes: the base vocabulary, the sizes tried with equal content, rounds of adjusting, seeds."""

    base: int
    sizes: Mapping[str, int]
    rounds: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(600, {"v1024": 500, "v2048": 550, "v4096": 600, "v8192": 650}, 1, 3),
    "small": Scale(BASE, SIZES, ROUNDS, 5),
    "full": Scale(BASE, SIZES, ROUNDS, 20),
}


@dataclass(frozen=True)
class Mix:
    """A vocabulary trained on all languages in this mix."""

    name: str
    tag: str
    vocabulary: int
    rounds: int


def sweep(budget: Budget) -> Sequence[Point]:
    """All mixes at the base size, and equal content at every size, over seeds that draw the parts held out."""
    scale = SCALES[budget]
    configs = [Mix(name, "base", scale.base, scale.rounds) for name in MIXES]
    configs += [Mix("content", tag, size, 0) for tag, size in scale.sizes.items() if size != scale.base]
    return [Point(config, seed) for config in configs for seed in range(scale.seeds)]


@cache
def _gpt2() -> tuple[bpe.BPE, bpe.Merge]:
    model = bpe.from_gpt2(*data.gpt2_vocabulary())
    return model, bpe.merger(model)


def measure(config: Mix, seed: int, log: Log) -> Mapping[str, Any]:
    """Train in the mix and count tokens of the held-out parts, language by language."""
    parts = corpora.declarations([language.code for language in LANGUAGES])
    train_ids, test_ids = corpora.split_parts(seed)
    train = [[each[i] for i in train_ids] for each in parts.values()]
    test = [[each[i] for i in test_ids] for each in parts.values()]
    weights = starting_weights(config.name, np.array([encoded_size(texts) for texts in train], dtype=np.float64))
    model, merged = _gpt2() if config.name == "gpt2" else _trained(train, weights, config.vocabulary)
    for step in range(config.rounds if config.name == "parity" else 0):
        tokens = token_counts(model, merged, train)
        log({"round": step, "worst": float(tokens.max() / tokens.mean())})
        weights *= tokens / tokens.mean()
        model, merged = _trained(train, weights, config.vocabulary)
    tokens = token_counts(model, merged, test)
    premium = tokens / tokens[0]
    return {
        "tokens": tokens.tolist(),
        "premium": premium.tolist(),
        "worst": float(premium.max()),
        "spread": float(tokens.max() / tokens.min()),
        "mean": float(premium.mean()),
        "gini": gini(tokens),
        "english": float(tokens[0]),
        "total": float(tokens.sum()),
        "vocabulary": len(model.tokens),
        "train_bytes": encoded_size([text for texts in train for text in texts]),
    }


def starting_weights(name: str, size: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How often each language's training text counts; `size` holds its bytes. English comes first."""
    weights = np.ones(len(size))
    if name == "english":
        weights[1:] = 0
    elif name == "tilted":
        weights[0] = size[1:].sum() / size[0]
    elif name == "bytes":
        weights = size.mean() / size
    return weights


def _trained(
    train: Sequence[Sequence[str]], weights: npt.NDArray[np.float64], vocabulary: int
) -> tuple[bpe.BPE, bpe.Merge]:
    counts: Counter[str] = Counter()
    for texts, weight in zip(train, weights, strict=True):
        times = round(GRAIN * float(weight))
        if times:
            for word, n in count_words(texts).items():
                counts[word] += n * times
    model = bpe.train_on_words(counts, bpe.Config(vocabulary))
    return model, bpe.merger(model)


def token_counts(model: bpe.BPE, merged: bpe.Merge, texts: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
    """(languages,) tokens of each language's texts."""
    encode = bpe.encoder(model, merged)
    return np.array([sum(len(encode(part)) for part in each) for each in texts], dtype=np.float64)


def gini(values: npt.NDArray[np.float64]) -> float:
    """Gini's coefficient of inequality: 0 where all are equal, towards 1 where one has everything."""
    x = np.sort(values)
    n = len(x)
    return float((2 * np.arange(1, n + 1) - n - 1) @ x / (n * x.sum()))


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Inequality, totals and English's share of the cost for every mix; premiums of every language."""
    base = [o for o in outcomes if o.config.tag == "base"]
    seeds = len({o.seed for o in outcomes})
    made = [
        parameter("fair.languages", len(LANGUAGES), "languages", "languages that share a vocabulary", fmt="d"),
        parameter("fair.seeds", seeds, "seeds", "random choices of the parts held out", fmt="d"),
        parameter("fair.parts", 31, "parts", "parts of the declaration: a preamble and its articles", fmt="d"),
        parameter("fair.vocabulary", base[0].config.vocabulary, "tokens", "tokens of the shared vocabulary", fmt=",d"),
        parameter("fair.rounds", base[0].config.rounds, "rounds", "rounds of adjusting weights to parity", fmt="d"),
        over_seeds("fair.train_bytes", base, entry("train_bytes"), "bytes", "bytes of all languages' training parts", ",.0f"),
    ]  # fmt: skip
    for name, label in MIXES.items():
        own = [o for o in base if o.config.name == name]
        made += _mix_facts(f"fair.{name}", label, own)
        for i, language in enumerate(LANGUAGES[1:], 1):
            made.append(over_seeds(f"fair.{name}.premium.{language.key}", own, entry("premium", i), "times", f"{label}: tokens of {language.name} over those of English for the same held-out parts", ".2f", ".1f", better="lower"))  # fmt: skip
    for tag, size in SIZES.items():
        own = [
            o for o in outcomes if o.config.name == "content" and o.config.tag in (tag, "base" if size == BASE else tag)
        ]
        made.append(parameter(f"fair.size.{tag}.vocabulary", own[0].config.vocabulary, "tokens", "a size of shared vocabulary that was tried", fmt=",d"))  # fmt: skip
        made += _mix_facts(f"fair.size.{tag}", f"equal content, {own[0].config.vocabulary} tokens", own)
    return made


def _mix_facts(key: str, label: str, own: Sequence[Outcome]) -> list[Fact]:
    return [
        over_seeds(f"{key}.worst", own, entry("worst"), "times", f"{label}: tokens of the worst-served language over those of English", ".2f", ".1f", better="lower"),
        over_seeds(f"{key}.spread", own, entry("spread"), "times", f"{label}: tokens of the worst-served language over those of the best-served", ".2f", ".1f", better="lower"),
        over_seeds(f"{key}.mean", own, entry("mean"), "times", f"{label}: tokens over those of English, mean of all languages", ".2f", ".1f", better="lower"),
        over_seeds(f"{key}.gini", own, entry("gini"), "coefficient", f"{label}: Gini's coefficient of tokens between languages", ".3f", ".2f", better="lower"),
        over_seeds(f"{key}.english", own, entry("english"), "tokens", f"{label}: tokens of the held-out parts in English", ",.0f", better="lower"),
        over_seeds(f"{key}.made", own, entry("vocabulary"), "tokens", f"{label}: tokens that the training text yields", ",.0f"),
        over_seeds(f"{key}.mean_tokens", own, entry("total", times=1 / len(LANGUAGES)), "tokens", f"{label}: tokens of the held-out parts in a language, mean of all", ",.0f", better="lower"),
        over_seeds(f"{key}.total", own, entry("total"), "tokens", f"{label}: tokens of the held-out parts in all languages together", ",.0f", better="lower"),
    ]  # fmt: skip


def derived() -> Sequence[Derivation]:
    """What each step towards parity costs English and saves everyone."""
    made = []
    for name in ("bytes", "content", "parity"):
        made.append(derive(f"fair.{name}.english_cost", "percent_change", f"fair.{name}.english", "fair.tilted.english", description=f"{MIXES[name]}: change of English's tokens against a mix that is half English", fmt=".0f", better="lower"))  # fmt: skip
        made.append(derive(f"fair.{name}.total_cost", "percent_change", f"fair.{name}.total", "fair.tilted.total", description=f"{MIXES[name]}: change of all languages' tokens against a mix that is half English", fmt=".1f", plain_fmt=".0f", better="lower"))  # fmt: skip
    made += [
        derive("fair.tilted.saving", "percent_change", "fair.tilted.total", "fair.english.total", description="all languages' tokens: half English against English alone", fmt=".0f", better="lower"),
        derive("fair.parity.extra", "percent_change", "fair.parity.total", "fair.content.total", description="all languages' tokens: adjusted to parity against equal content", fmt=".1f", plain_fmt=".0f", better="lower"),
        derive("fair.parity.english_extra", "percent_change", "fair.parity.english", "fair.content.english", description="English's tokens: adjusted to parity against equal content", fmt=".0f", better="lower"),
        derive("fair.size.english_saving", "percent_change", "fair.size.v8192.english", "fair.content.english", description="English's tokens with equal content: doubled vocabulary against the base size", fmt=".0f", better="lower"),
        derive("fair.gpt2_over_parity", "ratio", "fair.gpt2.worst", "fair.parity.worst", description="worst premium of GPT-2's vocabulary over that of the vocabulary adjusted to parity", fmt=".0f"),
    ]  # fmt: skip
    return made


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim(
            "fair.claim.published_is_unequal",
            "above",
            "fair.gpt2.worst",
            bound=10,
            says="Under GPT-2's published vocabulary the worst-served of {val}`fair.languages` languages needs {val}`fair.gpt2.worst` the tokens of English for the same held-out text, the average one {val}`fair.gpt2.mean`.",
            plain="With a vocabulary made from English web pages, the worst-served language pays {val}`fair.gpt2.worst` as much as English, the average one {val}`fair.gpt2.mean`.",
        ),
        claim(
            "fair.claim.tilting_narrows",
            "ratio_at_most",
            "fair.tilted.worst",
            "fair.english.worst",
            bound=0.5,
            says="Giving the other languages half of the training text, all of them together, takes the worst premium from {val}`fair.english.worst` to {val}`fair.tilted.worst`.",
            plain="Letting all other languages share half of the training text already narrows the worst gap from {val}`fair.english.worst` to {val}`fair.tilted.worst`.",
        ),
        claim(
            "fair.claim.content_beats_bytes",
            "all_seeds",
            "fair.content.gini",
            "fair.bytes.gini",
            says="Equal content is fairer than equal bytes for every choice of parts: Gini's coefficient is {val}`fair.content.gini` against {val}`fair.bytes.gini`, since equal bytes give the same weight to less text where letters take more bytes.",
            plain="Equal amounts of meaning are fairer than equal amounts of storage, because scripts with long encodings would get less text for the same storage.",
        ),
        claim(
            "fair.claim.parity_is_fairest",
            "all_seeds",
            "fair.parity.gini",
            "fair.content.gini",
            says="Weights adjusted in {val}`fair.rounds` rounds come nearest to parity: Gini's coefficient {val}`fair.parity.gini`, the worst language {val}`fair.parity.spread` the best, where equal content leaves {val}`fair.content.spread`.",
            plain="Adjusting the mix step by step evens things out further: the worst-served language then needs {val}`fair.parity.spread` the tokens of the best-served, not {val}`fair.content.spread`.",
        ),
        claim(
            "fair.claim.half_is_plenty",
            "ratio_at_most",
            "fair.tilted.total",
            "fair.english.total",
            bound=0.5,
            says="All languages together gain most from that first step: their tokens change by {val}`fair.tilted.saving`.",
            plain="That first step saves most: the total of tokens over all languages changes by {val}`fair.tilted.saving`.",
        ),
        claim(
            "fair.claim.english_pays",
            "ratio_at_least",
            "fair.content.english",
            "fair.tilted.english",
            bound=1.15,
            says="From there on English pays: against a mix that is half English, its tokens change by {val}`fair.content.english_cost` with equal content and by {val}`fair.parity.english_cost` at parity.",
            plain="From there on the favoured language pays: English needs {val}`fair.content.english_cost` more tokens when all languages count alike, and {val}`fair.parity.english_cost` more when the mix is adjusted to parity.",
        ),
        claim(
            "fair.claim.total_hardly_moves",
            "within",
            "fair.tilted.mean_tokens",
            "fair.content.mean_tokens",
            "fair.parity.mean_tokens",
            bound=250,
            says="The total hardly moves meanwhile: over all languages {val}`fair.content.total_cost` with equal content and {val}`fair.parity.total_cost` at parity. Fairness shifts tokens from some to others more than it adds any.",
            plain="Over all languages the bill stays nearly the same, {val}`fair.content.total_cost` and {val}`fair.parity.total_cost`: fairness is mostly a matter of who pays.",
        ),
        claim(
            "fair.claim.last_step_is_dear",
            "ratio_at_least",
            "fair.parity.english",
            "fair.content.english",
            bound=1.15,
            says="The last step is the dear one for English: from equal content to parity its tokens change by {val}`fair.parity.english_extra`, while those of all languages change by {val}`fair.parity.extra`.",
            plain="Going from equal treatment to equal results is the dearest step for English: {val}`fair.parity.english_extra` more tokens.",
        ),
        claim(
            "fair.claim.size_helps_all",
            "decreasing",
            *[f"fair.size.{tag}.english" for tag in SIZES],
            bound=10,
            says="The price can be bought back with size: at equal content, doubling the vocabulary changes English's tokens by {val}`fair.size.english_saving`.",
            plain="A larger vocabulary makes room for everyone: doubling it changes the tokens of English by {val}`fair.size.english_saving`, without taking anything from the others.",
        ),
        claim(
            "fair.claim.size_is_no_cure",
            "increasing",
            *[f"fair.size.{tag}.spread" for tag in SIZES],
            says="Size does not bring parity, rather the opposite: with equal content the worst language needs {val}`fair.size.v1024.spread` the tokens of the best at {val}`fair.size.v1024.vocabulary` tokens and {val}`fair.size.v8192.spread` at {val}`fair.size.v8192.vocabulary`.",
            plain="Size by itself does not make languages equal: the gap between worst and best grows from {val}`fair.size.v1024.spread` to {val}`fair.size.v8192.spread`.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Premiums by mix; what English pays and what inequality remains."""
    base = [o for o in outcomes if o.config.tag == "base"]
    return [_by_mix(base), _trade(base)]


def _by_mix(base: Sequence[Outcome]) -> Figure:
    shown = ("english", "tilted", "content", "parity")
    means = {name: np.mean([o.metrics["premium"] for o in base if o.config.name == name], axis=0) for name in MIXES}
    order = np.argsort(means["english"])

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            ys = np.arange(len(order))
            axes.axvline(1, color=palette.muted, linewidth=1)
            for index, name in enumerate(shown):
                axes.plot(means[name][order], ys, linestyle="none", marker=plots.MARKERS[index], markersize=6, color=plots.colour(theme, index), label=MIXES[name])  # fmt: skip
            axes.set(xscale="log", xlabel="tokens, English = 1 (log scale)", ylim=(-0.8, len(order) - 0.2))
            axes.set_xticks([1, 2, 5, 10], ["1×", "2×", "5×", "10×"])
            axes.xaxis.minorticks_off()
            axes.set_yticks(ys, [LANGUAGES[i].name for i in order], fontsize=plots.FONT - 2)
            axes.grid(axis="y", visible=False)
            axes.legend(loc="lower right", frameon=False)

        return plots.figure(theme, 7.2, fill)

    return Figure(
        "fair_premiums",
        "Tokens each language needs for the same held-out parts, relative to English, with vocabularies of {val}`fair.vocabulary` tokens trained in different mixes; means of {val}`fair.seeds` seeds.",
        "What the same text costs in each language, with English at the line. With a vocabulary made from English (circles) costs spread widely; adjusted to parity (diamonds) they gather near the line.",
        "A list of languages with marks on a logarithmic scale. Marks for English alone spread far to the right; marks for half English less; those for equal content and parity crowd around the line of English.",
        {"language": [LANGUAGES[i].name for i in order], **{label: means[name][order].tolist() for name, label in MIXES.items()}},
        draw,
    )  # fmt: skip


def _trade(base: Sequence[Outcome]) -> Figure:
    names = [name for name in MIXES if name != "gpt2"]
    alone = {o.seed: o.metrics["english"] for o in base if o.config.name == "tilted"}
    points = {
        name: [(100 * (o.metrics["english"] / alone[o.seed] - 1), o.metrics["gini"]) for o in base if o.config.name == name]
        for name in names
    }  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            for index, name in enumerate(names):
                xs, ys = zip(*points[name], strict=True)
                axes.plot(xs, ys, linestyle="none", marker=".", color=plots.colour(theme, index), alpha=0.6)
                axes.plot(np.mean(xs), np.mean(ys), marker=plots.MARKERS[index], markersize=9, color=plots.colour(theme, index))  # fmt: skip
                axes.annotate(MIXES[name], (float(np.mean(xs)), float(np.mean(ys))), xytext=(9, -15 if name == "tilted" else 7), textcoords="offset points", color=plots.colour(theme, index), fontweight="bold")  # fmt: skip
            right = max(x for each in points.values() for x, _ in each)
            axes.set(xlabel="extra tokens for English, %", ylabel="inequality (Gini)", xlim=(-6, right * 1.45))
            axes.set_ylim(0, 1.12 * max(y for each in points.values() for _, y in each))

        return plots.figure(theme, 4.0, fill)

    return Figure(
        "fair_trade",
        "The trade: inequality of tokens between languages against what English pays, relative to a mix that is half English. Small dots are single choices of the parts held out.",
        "Each mark is a way of mixing languages: further down is fairer, further right is dearer for English.",
        "A chart of marks: English alone at the upper left, half English below it, equal bytes and equal content to the right, and the mix adjusted to parity lowest and farthest to the right.",
        {
            "mix": [MIXES[name] for name in names for _ in points[name]],
            "extra tokens for English": [x for name in names for x, _ in points[name]],
            "gini": [y for name in names for _, y in points[name]],
        },
        draw,
    )
