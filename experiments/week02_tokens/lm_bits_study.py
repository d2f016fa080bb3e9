"""What does a tokenizer do to a small language model, in bits per byte of text?

The same small network, trained on the same plays, with bytes, with byte-pair vocabularies of growing size, and with
two other vocabularies of one size; each for as many steps, with as many tokens a step. A second run with bytes gets
as many bytes to read, and as long a view of them, as the vocabulary of the middle size has in its tokens.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from experiments.kit import plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds
from experiments.week02_tokens import corpora
from experiments.week02_tokens import language_model as lm
from experiments.week02_tokens.pretokens import encoded_size
from experiments.week02_tokens.strategies_study import build

TITLE = "Tokenizers under a small language model"
QUESTION = "How many bits per byte does a small language model need, by how its text is cut into tokens?"
LIMITS = (
    "The models are tiny and trained for seconds; with more training the order of vocabularies may change, as small units catch up.",
    "One text, one architecture, one learning rate for all; none was tuned to a vocabulary.",
    "The run of bytes with the same text computes more a step than the others, so no pair of runs is equal in everything.",
    "A larger vocabulary gives the model more weights, so at equal steps models differ in size as well.",
    "Weights learnt were not tested on any task; bits per byte of held-out plays are all that was measured.",
)
TIMED = False

BYTES = 256
SIZES = {"bytes": BYTES, "bpe512": 512, "bpe1024": 1024, "bpe2048": 2048}
MIDDLE = 1024
OTHERS = {"unigram1024": "unigram", "ratio1024": "ratio"}
LABELS = {
    "bytes": "bytes",
    "same_text": "bytes, same text",
    "bpe512": "BPE",
    "bpe1024": "BPE",
    "bpe2048": "BPE",
    "unigram1024": "unigram",
    "ratio1024": "merging by ratio",
}


@dataclass(frozen=True)
class Scale:
    """What a budget changes: characters to train on and to test, steps, sizes, seeds."""

    train: int
    test: int
    steps: int
    sizes: Mapping[str, int]
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(30_000, 4_000, 12, {"bytes": 256, "bpe512": 300, "bpe1024": 350, "bpe2048": 400}, 3),
    "small": Scale(1_000_000, 40_000, 300, SIZES, 5),
    "full": Scale(4_000_000, 200_000, 20_000, SIZES, 10),
}


@dataclass(frozen=True)
class Trained:
    """A model on text cut by `method` into a vocabulary; `stretch` gives it that many times the context."""

    name: str
    method: str
    vocabulary: int
    stretch: bool
    middle: int
    train: int
    test: int
    steps: int


def sweep(budget: Budget) -> Sequence[Point]:
    """Every way of cutting the text, over seeds that choose the plays and start the network."""
    scale = SCALES[budget]
    middle = scale.sizes["bpe1024"]

    def config(name: str, method: str, vocabulary: int, stretch: bool = False) -> Trained:
        return Trained(name, method, vocabulary, stretch, middle, scale.train, scale.test, scale.steps)

    configs = [config(name, "bpe", size) for name, size in scale.sizes.items()]
    configs += [config(name, method, middle) for name, method in OTHERS.items()]
    configs.append(config("same_text", "bpe", BYTES, stretch=True))
    return [Point(each, seed) for seed in range(scale.seeds) for each in configs]


def measure(config: Trained, seed: int, log: Log) -> Mapping[str, Any]:
    """Cut the text, train the network, and count the bits of held-out text."""
    torch.set_num_threads(1)
    train, test = corpora.split_plays(seed)
    train, test = corpora.first(train, config.train), corpora.first(test, config.test)
    cut = build(config.method, train, config.vocabulary, lambda row: None)
    ids = np.array([i for text in train for i in cut.encode(text)])
    held = np.array([i for text in test for i in cut.encode(text)])
    rate = encoded_size(train) / len(ids)
    shape = lm.Config(len(cut.tokens), steps=config.steps)
    if config.stretch:
        middle = build("bpe", train, config.middle, lambda row: None)
        rate_of_middle = encoded_size(train) / sum(len(middle.encode(text)) for text in train)
        shape = lm.Config(len(cut.tokens), steps=config.steps, context=round(shape.context * rate_of_middle))
    losses: list[float] = []

    def watch(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 50 == 0:
            log({"step": step, "bits_per_token": loss, "bits_per_byte": loss / rate})

    model = lm.train(ids, shape, seed, watch)
    body, table = lm.parameters(shape)
    bits = lm.total_bits(model, held, shape.context)
    return {
        "bits": bits / encoded_size(test),
        "bits_per_token": bits / (len(held) - 1),
        "first": losses[0],
        "bytes_per_token": encoded_size(test) / len(held),
        "read": rate * shape.context * shape.batch * shape.steps,
        "view": rate * shape.context,
        "context": shape.context,
        "batch": shape.batch,
        "width": shape.width,
        "hidden": shape.hidden,
        "body": body,
        "table": table,
    }


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Shape and training; for each way of cutting: bits, tokens, weights, text read."""
    first = outcomes[0]
    middle = next(o for o in outcomes if o.config.name == "bpe1024")
    made = [
        parameter("lm.seeds", len({o.seed for o in outcomes}), "seeds", "random starts and choices of plays", fmt="d"),
        parameter("lm.steps", first.config.steps, "steps", "steps of training", fmt=",d"),
        parameter("lm.context", middle.metrics["context"], "tokens", "tokens of a window", fmt="d"),
        parameter("lm.batch", middle.metrics["batch"], "windows", "windows in a step", fmt="d"),
        parameter("lm.width", middle.metrics["width"], "weights", "weights of a token's embedding", fmt="d"),
        parameter("lm.hidden", middle.metrics["hidden"], "units", "recurrent units", fmt="d"),
        parameter("lm.body", middle.metrics["body"], "weights", "weights of the network apart from what grows with the vocabulary", fmt=",d"),
        parameter("lm.train", first.config.train, "characters", "characters of plays trained on", fmt=",d"),
        parameter("lm.test", first.config.test, "characters", "characters of held-out plays that bits are counted on", fmt=",d"),
    ]  # fmt: skip
    for name, label in LABELS.items():
        own = [o for o in outcomes if o.config.name == name]
        size = own[0].config.vocabulary
        made.append(parameter(f"lm.{name}.vocabulary", size, "tokens", f"{label}: tokens of the vocabulary", fmt=",d"))
        made += _facts_of(f"lm.{name}", f"{label}, {size} tokens", own)
    return made


def _facts_of(key: str, label: str, own: Sequence[Outcome]) -> list[Fact]:
    return [
        over_seeds(f"{key}.bits", own, entry("bits"), "bits per byte", f"{label}: bits a byte of held-out plays", ".3f", ".2f", better="lower"),
        over_seeds(f"{key}.bits_per_token", own, entry("bits_per_token"), "bits per token", f"{label}: bits a token of held-out plays", ".2f", ".1f"),
        over_seeds(f"{key}.bytes_per_token", own, entry("bytes_per_token"), "bytes per token", f"{label}: bytes a token of held-out plays", ".2f", ".1f", better="higher"),
        over_seeds(f"{key}.read", own, entry("read", times=1e-3), "kilobytes", f"{label}: text read in training, in thousands of bytes", ",.0f"),
        over_seeds(f"{key}.view", own, entry("view"), "bytes", f"{label}: bytes of text in a window", ".0f"),
        over_seeds(f"{key}.table", own, entry("table"), "weights", f"{label}: weights that grow with the vocabulary", ",.0f", better="lower"),
    ]  # fmt: skip


def derived() -> Sequence[Derivation]:
    """Gains over bytes and between methods."""
    return [
        derive("lm.gain", "difference", "lm.bytes.bits", "lm.bpe1024.bits", description="bits a byte saved by the middle vocabulary against bytes, at equal steps", fmt=".2f", plain_fmt=".1f"),
        derive("lm.same_text_gain", "difference", "lm.bytes.bits", "lm.same_text.bits", description="bits a byte saved by reading as much text in as long windows, with bytes", fmt=".2f", plain_fmt=".1f"),
        derive("lm.left", "difference", "lm.same_text.bits", "lm.bpe1024.bits", description="bits a byte between bytes with the same text and the middle vocabulary", fmt=".2f", plain_fmt=".1f"),
        derive("lm.doubling", "difference", "lm.bpe1024.bits", "lm.bpe2048.bits", description="bits a byte saved by doubling the middle vocabulary", fmt=".3f", plain_fmt=".2f"),
        derive("lm.unigram_change", "percent_change", "lm.unigram1024.bits", "lm.bpe1024.bits", description="bits a byte: unigram against BPE", fmt=".1f"),
        derive("lm.ratio_change", "percent_change", "lm.ratio1024.bits", "lm.bpe1024.bits", description="bits a byte: merging by ratio against BPE", fmt=".1f"),
        derive("lm.read_ratio", "ratio", "lm.bpe2048.read", "lm.bytes.read", description="text read with the largest vocabulary over text read with bytes", fmt=".1f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim(
            "lm.claim.tokens_beat_bytes",
            "all_seeds",
            "lm.bpe512.bits",
            "lm.bytes.bits",
            says="Any byte-pair vocabulary helps the small model: at equal steps {val}`lm.bpe512.vocabulary` tokens need {val}`lm.bpe512.bits` bits a byte on held-out plays, single bytes {val}`lm.bytes.bits`, on every seed.",
            plain="Reading in pieces rather than letters helps a small model from the start: {val}`lm.bpe512.bits` bits for each byte with {val}`lm.bpe512.vocabulary` tokens, {val}`lm.bytes.bits` with single bytes.",
        ),
        claim(
            "lm.claim.larger_is_better_here",
            "decreasing",
            "lm.bytes.bits",
            "lm.bpe512.bits",
            "lm.bpe1024.bits",
            "lm.bpe2048.bits",
            says="Larger was better as far as tried: {val}`lm.bpe1024.bits` bits a byte with {val}`lm.bpe1024.vocabulary` tokens, {val}`lm.bpe2048.bits` with {val}`lm.bpe2048.vocabulary`.",
            plain="Larger vocabularies did better as far as they were tried: {val}`lm.bpe1024.bits`, then {val}`lm.bpe2048.bits` bits for each byte.",
        ),
        claim(
            "lm.claim.doubling_holds_on_every_seed",
            "all_seeds",
            "lm.bpe2048.bits",
            "lm.bpe1024.bits",
            says="The last doubling saves {val}`lm.doubling` bits a byte and does so on all {val}`lm.seeds` seeds.",
            plain="The last doubling of the vocabulary helped in all {val}`lm.seeds` repetitions.",
        ),
        claim(
            "lm.claim.it_is_not_the_text",
            "all_seeds",
            "lm.bpe1024.bits",
            "lm.same_text.bits",
            says="It is not only that larger tokens show the model more text: given bytes, but windows as long and as much to read as {val}`lm.bpe1024.vocabulary` tokens have, the network needs {val}`lm.same_text.bits` bits a byte, still {val}`lm.left` more.",
            plain="That is not just because the model sees more text: shown the same text letter by letter, it still needs {val}`lm.same_text.bits` bits for each byte, not {val}`lm.bpe1024.bits`.",
        ),
        claim(
            "lm.claim.more_text_alone_shows_nothing",
            "within",
            "lm.bytes.bits",
            "lm.same_text.bits",
            bound=0.1,
            says="More text and longer windows alone show no gain in so short a training: {val}`lm.bytes.bits` and {val}`lm.same_text.bits` bits a byte.",
            plain="More text alone, letter by letter, brought no gain that could be shown: {val}`lm.bytes.bits` and {val}`lm.same_text.bits` bits.",
        ),
        claim(
            "lm.claim.unigram_helps",
            "all_seeds",
            "lm.unigram1024.bits",
            "lm.bpe1024.bits",
            says="The unigram vocabulary of the same size serves the model better on every seed, though by little: {val}`lm.unigram1024.bits` bits a byte against {val}`lm.bpe1024.bits`.",
            plain="A unigram vocabulary of the same size serves the model slightly better every time: {val}`lm.unigram1024.bits` against {val}`lm.bpe1024.bits` bits for each byte.",
        ),
        claim(
            "lm.claim.bad_tokens_are_worse_than_none",
            "all_seeds",
            "lm.bytes.bits",
            "lm.ratio1024.bits",
            says="A bad vocabulary is worse than none: merged by the bare ratio, as many tokens need {val}`lm.ratio1024.bits` bits a byte, more than single bytes on every seed.",
            plain="A badly built vocabulary is worse than none: {val}`lm.ratio1024.bits` bits for each byte, more than reading letter by letter.",
        ),
        claim(
            "lm.claim.per_token_misleads",
            "increasing",
            "lm.bytes.bits_per_token",
            "lm.bpe512.bits_per_token",
            "lm.bpe1024.bits_per_token",
            "lm.bpe2048.bits_per_token",
            says="Loss per token tells the opposite story, from {val}`lm.bytes.bits_per_token` bits a token for bytes to {val}`lm.bpe2048.bits_per_token` for {val}`lm.bpe2048.vocabulary` tokens: larger tokens are harder to guess, and there are fewer of them.",
            plain="Counting by token instead would have told the opposite story: {val}`lm.bytes.bits_per_token` bits for a letter, {val}`lm.bpe2048.bits_per_token` for a larger token.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Bits per byte by way of cutting, beside bits per token."""
    names = list(LABELS)
    values = {name: [float(o.metrics["bits"]) for o in outcomes if o.config.name == name] for name in names}
    tokens = {name: [float(o.metrics["bits_per_token"]) for o in outcomes if o.config.name == name] for name in names}
    size = {o.config.name: o.config.vocabulary for o in outcomes}
    labels = [LABELS[n] if n in ("bytes", "same_text") else f"{LABELS[n]}, {size[n]:,}" for n in names]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            both = canvas.subplots(1, 2, sharey=True, width_ratios=[1.25, 1])
            ys = -np.arange(len(names))
            panels = ((values, "bits per byte\n(comparable)", 0), (tokens, "bits per token\n(not comparable)", 1))
            for axes, (shown, label, index) in zip(both, panels, strict=True):
                for y, name in zip(ys, names, strict=True):
                    axes.plot(shown[name], [y] * len(shown[name]), linestyle="none", marker=".", color=plots.colour(theme, index), alpha=0.6)  # fmt: skip
                    axes.plot(np.mean(shown[name]), y, marker=plots.MARKERS[index], markersize=8, color=plots.colour(theme, index))  # fmt: skip
                axes.set(xlabel=label, ylim=(-len(names) + 0.4, 0.6))
                axes.margins(x=0.12)
            both[0].set_yticks(ys, labels)

        return plots.figure(theme, 4.0, fill)

    return [
        Figure(
            "lm_bits",
            "A small language model on held-out plays, by how its text is cut. All train for {val}`lm.steps` steps of {val}`lm.batch` windows of {val}`lm.context` tokens; “same text” sees windows as long in bytes as those of the middle vocabulary. Small dots are seeds.",
            "How many bits the model needs for each byte (left) and each token (right). Only the left can be compared: on the right, larger tokens look worse although the model does better.",
            "A pair of dot charts with a row for each way of cutting. On the left, bytes need most and larger vocabularies less; on the right the order is reversed.",
            {
                "text cut into": [label for label, n in zip(labels, names, strict=True) for _ in values[n]],
                "bits per byte": [x for n in names for x in values[n]],
                "bits per token": [x for n in names for x in tokens[n]],
            },
            draw,
        )
    ]
