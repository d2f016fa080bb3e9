"""Preferences on a real language model: do its sentences brighten where it was not trained, and at what distance?

SmolLM2-135M continues neutral prompts; VADER scores the mood. Each seed draws continuations of the training prompts
from the untouched model, pairs them by score, and trains every method twice on the same pairs: held back (mild) and let
loose (strong). Everything is judged on fresh continuations of other prompts, drawn with the same random numbers.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.kit import plots, stats
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.kit.summary import entry, over_seeds, table
from experiments.week04_policy.sentiment import (
    HELD_OUT,
    METHODS,
    TRAINING,
    Adapter,
    Config,
    Drawn,
    Head,
    Method,
    divergence,
    head,
    mood,
    paired,
    sample,
    scored,
    texts,
    train,
)
from experiments.week04_policy.smollm import Model, encode, load, rms_norm

TITLE = "Preferences on a small language model"
QUESTION = "What do preference losses make of SmolLM2-135M when a lexicon of moods is the judge: do sentences brighten on prompts never trained on, and how far does the model move for it?"
LIMITS = (
    "The judge is a lexicon of words with moods: a sentence that pleases it need not please a reader, and no reader was asked.",
    "One model of 135 million parameters with four bits a weight, over a restricted vocabulary, for sentences of a few tokens: nothing here says what larger models or longer texts do.",
    "Only a low-rank change of one matrix of the last block was trained; training all weights would reach other policies.",
    "Mean scores and KL are estimates from the continuations drawn; the KL adds up exact next-token divergences along them, which keeps its noise low where policies are close and not where they are far apart.",
    "Each method's two strengths were chosen by hand on other sampling seeds but with the same prompts in view, for one learning rate and one number of steps; they do not put the methods at equal distances.",
    "Claims were worded after a first run with other random numbers; of those, what the run reported here did not bear out on every seed was weakened or dropped.",
    "Prompts are fixed, so the intervals say how much sampling and training vary, not how much other prompts would.",
    "The higher score wins every pair, as no human judge would have it; the study of known answers shows what noise changes.",
    "Variety is counted over each policy's own continuations, and longer ones repeat a word pair more easily.",
    "KTO's reference point is computed from the batch's next-token divergences, where practice estimates it from mismatched pairs.",
)
TIMED = False

NAMES: Mapping[str, str] = {"dpo": "DPO", "ipo": "IPO", "simpo": "SimPO", "kto": "KTO"}
Strength = Literal["mild", "strong"]
SAID: Mapping[Strength, str] = {"mild": "held back", "strong": "let loose"}
DRAWS = 1000  # where this study's random numbers begin; strengths and claims come from others
# Chosen on draws 100 and 101.
STRENGTHS: Mapping[Strength, Mapping[Method, float]] = {
    "mild": {"dpo": 1.0, "ipo": 0.2, "simpo": 30.0, "kto": 0.5},
    "strong": {"dpo": 0.2, "ipo": 0.05, "simpo": 10.0, "kto": 0.1},
}
BEST_OF = 4


@dataclass(frozen=True)
class Trial:
    """Sizes of one seed: prompts to learn from and to judge on, continuations of each for pairs and for judging."""

    training: int = len(TRAINING)
    held_out: int = len(HELD_OUT)
    drawn: int = 12
    judged: int = 8
    tokens: int = 12
    vocabulary: int = 8192
    steps: int = 40
    batch: int = 16


SCALES: Mapping[Budget, tuple[Trial, int]] = {
    "smoke": (Trial(training=4, held_out=2, drawn=6, judged=4, tokens=4, vocabulary=2048, steps=3, batch=4), 3),
    "small": (Trial(), 5),
    "full": (Trial(drawn=32, judged=32, tokens=24, steps=120, batch=32), 20),
}


def sweep(budget: Budget) -> Sequence[Point]:
    """One trial a seed."""
    trial, seeds = SCALES[budget]
    return [Point(trial, seed) for seed in range(seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """Draw from the untouched model, train every method on the same pairs, judge all on the same prompts."""
    torch.set_num_threads(1)
    model, t = load()
    h = head(model, t, config.vocabulary)
    learnt, asked = ([encode(t, p) for p in prompts] for prompts in (TRAINING[: config.training], HELD_OUT[: config.held_out]))  # fmt: skip

    def draw(adapter: Adapter | None, prompts: Sequence[Sequence[int]], n: int, stream: int) -> tuple[Drawn, Tensor, list[str]]:  # fmt: skip
        g = torch.Generator().manual_seed(DRAWS + 2 * seed + stream)
        drawn = sample(model, h, adapter, prompts, n, config.tokens, g)
        said = texts(t, h, drawn)
        return drawn, torch.tensor([mood(text) for text in said], dtype=torch.float64), said

    pool, pool_moods, _ = draw(None, learnt, config.drawn, 0)
    kept, kept_moods, kept_said = draw(None, asked, config.drawn, 1)
    pairs, kept_pairs = (paired(moods.view(-1, config.drawn)) for moods in (pool_moods, kept_moods))
    with torch.no_grad():
        pool_ref, kept_ref = (scored(h, None, drawn)[0] for drawn in (pool, kept))
    first = [i for i in range(len(kept_said)) if i % config.drawn < config.judged]
    reference = _judged(h, None, kept.rows(torch.tensor(first)), kept_moods[first], [kept_said[i] for i in first])
    found: dict[str, Any] = {
        "reference": {**reference, "best": best_of(kept_moods.view(-1, config.drawn), BEST_OF)},
        "pairs": len(pairs[0]),
        "held_out_pairs": len(kept_pairs[0]),
        "covered": covered(model, h, kept.x[:: config.drawn, 0]),
    }
    for strength, chosen in STRENGTHS.items():
        found[strength] = {}
        for m in METHODS:
            settings = Config(m, chosen[m], steps=config.steps, batch=config.batch)
            adapter = train(settings, h, pool, pool_ref, *pairs, seed, log)
            seen = _judged(h, adapter, *draw(adapter, asked, config.judged, 1))
            found[strength][m] = {
                **seen,
                "trained": _ordered(h, adapter, pool, pool_ref, pairs),
                "held_out": _ordered(h, adapter, kept, kept_ref, kept_pairs),
            }
            log({"mood": seen["mood"], "kl": seen["kl"]})
    return found


@torch.no_grad()
def _judged(h: Head, adapter: Adapter | None, drawn: Drawn, moods: Tensor, said: Sequence[str]) -> dict[str, float]:
    """A policy by its own continuations: mood, distance, length, variety, and how likely the untouched model finds them."""
    every = scored(h, adapter, drawn)[1]
    log_ref, reference = scored(h, None, drawn)
    words = [text.split() for text in said]
    turns = [pair for row in words for pair in pairwise(row)]
    return {
        "mood": float(moods.mean()),
        "bright": float((moods > 0).double().mean()),
        "dark": float((moods < 0).double().mean()),
        "kl": float(divergence(every, reference, drawn.mask).mean()),
        "tokens": float(drawn.mask.sum(-1).double().mean()),
        "variety": len(set(turns)) / max(1, len(turns)),
        "surprise": -float(log_ref.sum() / drawn.mask.sum()),
    }


@torch.no_grad()
def _ordered(h: Head, adapter: Adapter, drawn: Drawn, ref: Tensor, pairs: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Of pairs: the share that the log-ratio to the reference orders as the score does, and both mean log-ratios."""
    ratio = scored(h, adapter, drawn)[0] - ref
    better, worse = (ratio[side].double() for side in pairs)
    if not len(better):
        return {"share": 0.5, "better": 0.0, "worse": 0.0}
    share = (better > worse).double().mean()
    return {"share": float(share), "better": float(better.mean()), "worse": float(worse.mean())}


def best_of(moods: Tensor, k: int) -> float:
    """Mean over prompts of the expected best of k continuations drawn without replacement: moods (P, n)."""
    n = moods.shape[1]
    k = min(k, n)
    weights = torch.tensor([math.comb(i, k - 1) / math.comb(n, k) for i in range(n)], dtype=torch.float64)
    return float((moods.sort(-1).values * weights).sum(-1).mean())


@torch.no_grad()
def covered(model: Model, h: Head, x: Tensor) -> float:
    """Share of the unrestricted model's probability that falls on the head's tokens, averaged over states x (N, W)."""
    p = F.linear(rms_norm(x, model.norm, model.eps), model.tokens).softmax(-1)
    return float(p[:, h.ids].sum(-1).mean())


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; the untouched model; every method at both strengths."""
    c = outcomes[0].config
    o = outcomes
    made = [
        parameter("mood.seeds", len(o), "seeds", "sampling and training seeds", fmt="d"),
        parameter("mood.prompts.training", c.training, "prompts", "prompts that pairs were made from", fmt="d"),
        parameter("mood.prompts.held_out", c.held_out, "prompts", "other prompts that policies were judged on", fmt="d"),
        parameter("mood.drawn", c.drawn, "continuations", "continuations of each prompt drawn from the untouched model", fmt="d"),
        parameter("mood.judged", c.judged, "continuations", "continuations of each held-out prompt that a policy is judged by", fmt="d"),
        parameter("mood.length", c.tokens, "tokens", "tokens of a continuation at most", fmt="d"),
        parameter("mood.vocabulary", c.vocabulary, "tokens", "tokens that a policy may choose from", fmt=",d"),
        parameter("mood.steps", c.steps, "steps", "training steps", fmt="d"),
        parameter("mood.batch", c.batch, "pairs", "pairs of each training step at most", fmt="d"),
        parameter("mood.rank", Config().rank, "rank", "rank of the trained change", fmt="d"),
        parameter("mood.best_of.n", BEST_OF, "continuations", "continuations of which the best is kept, without any training", fmt="d"),
        fact("mood.best_of.kl", math.log(BEST_OF) - (BEST_OF - 1) / BEST_OF, "nats", "upper bound of the KL that keeping the best of them costs", fmt=".2f", kind="exact"),
        over_seeds("mood.pairs", o, entry("pairs"), "pairs", "pairs of continuations with different scores to learn from", fmt=".0f"),
        over_seeds("mood.pairs.held_out", o, entry("held_out_pairs"), "pairs", "such pairs of continuations of held-out prompts", fmt=".0f"),
        over_seeds("mood.covered", o, entry("covered"), "fraction", "share of the model's probability of a continuation's start that the restricted vocabulary holds", fmt=".2f", plain_fmt=".0%"),
        over_seeds("mood.reference", o, entry("reference", "mood"), "score", "mean mood of the untouched model's continuations", fmt=".2f", better="higher"),
        over_seeds("mood.reference.best", o, entry("reference", "best"), "score", "mean mood when the best of several continuations is kept", fmt=".2f", better="higher"),
        over_seeds("mood.reference.bright", o, entry("reference", "bright"), "fraction", "share of the untouched model's continuations with a bright mood", fmt=".2f", plain_fmt=".0%"),
        over_seeds("mood.reference.dark", o, entry("reference", "dark"), "fraction", "share of the untouched model's continuations with a dark mood", fmt=".2f", plain_fmt=".0%"),
        over_seeds("mood.reference.tokens", o, entry("reference", "tokens"), "tokens", "mean length of the untouched model's continuations", fmt=".1f"),
        over_seeds("mood.reference.variety", o, entry("reference", "variety"), "fraction", "distinct pairs of neighbouring words over all such pairs in the untouched model's continuations", fmt=".2f", plain_fmt=".0%"),
        over_seeds("mood.reference.surprise", o, entry("reference", "surprise"), "nats a token", "how unlikely the untouched model finds its own continuations", fmt=".2f"),
    ]  # fmt: skip
    for strength, said in SAID.items():
        for m in METHODS:
            name, key = f"{NAMES[m]}, {said}", f"mood.{strength}.{m}"
            made += [
                parameter(f"{key}.beta", STRENGTHS[strength][m], "strength", f"beta of {name}", fmt=".2g"),
                over_seeds(f"{key}.mood", o, entry(strength, m, "mood"), "score", f"mean mood of continuations by {name}, on held-out prompts", fmt=".2f", better="higher"),
                over_seeds(f"{key}.gain", o, _gain(strength, m), "score", f"mean mood of {name} less that of the untouched model, seed by seed", fmt=".2f", better="higher"),
                over_seeds(f"{key}.bright", o, entry(strength, m, "bright"), "fraction", f"share of continuations with a bright mood by {name}", fmt=".2f", plain_fmt=".0%"),
                over_seeds(f"{key}.dark", o, entry(strength, m, "dark"), "fraction", f"share of continuations with a dark mood by {name}", fmt=".2f", plain_fmt=".0%"),
                over_seeds(f"{key}.kl", o, entry(strength, m, "kl"), "nats", f"estimated KL of a continuation from the untouched model under {name}", fmt=".2f"),
                over_seeds(f"{key}.trained", o, entry(strength, m, "trained", "share"), "fraction", f"share of training pairs that {name} orders as the score does", fmt=".2f", plain_fmt=".0%", better="higher"),
                over_seeds(f"{key}.held_out", o, entry(strength, m, "held_out", "share"), "fraction", f"share of held-out pairs that {name} orders as the score does", fmt=".2f", plain_fmt=".0%", better="higher"),
                over_seeds(f"{key}.better", o, entry(strength, m, "trained", "better"), "nats", f"mean change of the log-probability of training pairs' better continuations under {name}", fmt=".1f"),
                over_seeds(f"{key}.worse", o, entry(strength, m, "trained", "worse"), "nats", f"mean change of the log-probability of training pairs' worse continuations under {name}", fmt=".1f"),
                over_seeds(f"{key}.tokens", o, entry(strength, m, "tokens"), "tokens", f"mean length of continuations by {name}", fmt=".1f"),
                over_seeds(f"{key}.variety", o, entry(strength, m, "variety"), "fraction", f"distinct pairs of neighbouring words over all such pairs in continuations by {name}", fmt=".2f", plain_fmt=".0%"),
                over_seeds(f"{key}.surprise", o, entry(strength, m, "surprise"), "nats a token", f"how unlikely the untouched model finds continuations by {name}", fmt=".2f"),
            ]  # fmt: skip
    made += [
        over_seeds("mood.gap.simpo", o, lambda metrics: float(metrics["strong"]["kto"]["mood"] - metrics["strong"]["simpo"]["mood"]), "score", "mean mood of KTO less that of SimPO, both let loose, seed by seed", fmt=".2f"),
        over_seeds("mood.gap.ordering", o, lambda metrics: float(metrics["strong"]["dpo"]["held_out"]["share"] - metrics["mild"]["dpo"]["held_out"]["share"]), "fraction", "share of held-out pairs that DPO orders rightly, let loose less held back, seed by seed", fmt=".2f", plain_fmt=".0%"),
    ]  # fmt: skip
    return made


def _gain(strength: str, m: str) -> Callable[[Mapping[str, Any]], float]:
    return lambda metrics: float(metrics[strength][m]["mood"] - metrics["reference"]["mood"])


def derived() -> Sequence[Derivation]:
    """What letting loose multiplies, and how far training pairs are ahead of others."""
    return [
        derive(f"mood.further.{m}", "ratio", f"mood.strong.{m}.kl", f"mood.mild.{m}.kl", description=f"KL of {NAMES[m]} let loose over held back", fmt=".1f")
        for m in METHODS
    ] + [
        derive(f"mood.ahead.{m}", "difference", f"mood.strong.{m}.trained", f"mood.strong.{m}.held_out", description=f"share of pairs that {NAMES[m]}, let loose, orders rightly, training pairs less held-out ones", fmt=".2f", plain_fmt=".0%")
        for m in METHODS
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    brighter = [
        claim(f"mood.claim.{m}_brightens", "all_seeds", "mood.reference", f"mood.strong.{m}.mood",
            says=f"{NAMES[m]}, let loose, brightens sentences on prompts it never saw: mean score {{val}}`mood.strong.{m}.mood` against {{val}}`mood.reference`, higher on every seed, at {{val}}`mood.strong.{m}.kl` nats a continuation.",
            plain=f"Taught by {NAMES[m]}, without ever seeing a score, the model writes brighter sentences on new topics too: {{val}}`mood.strong.{m}.mood` against {{val}}`mood.reference`.")
        for m in METHODS
    ]  # fmt: skip
    return [
        *brighter,
        claim("mood.claim.fewer_dark", "all_seeds", "mood.strong.kto.dark", "mood.reference.dark",
            says="Under KTO let loose {val}`mood.strong.kto.dark` of the continuations are dark, of the untouched model's {val}`mood.reference.dark`: fewer on every seed.",
            plain="Dark sentences grow rare: {val}`mood.strong.kto.dark` where {val}`mood.reference.dark` were."),
        claim("mood.claim.more_bright", "all_seeds", "mood.reference.bright", "mood.strong.kto.bright",
            says="And {val}`mood.strong.kto.bright` are bright, of the untouched model's {val}`mood.reference.bright`: more on every seed.",
            plain="Bright ones grow frequent: {val}`mood.strong.kto.bright` where {val}`mood.reference.bright` were."),
        claim("mood.claim.best_of_comes_near", "ratio_at_least", "mood.reference.best", "mood.strong.dpo.mood", bound=0.75,
            says="Keeping the best of {val}`mood.best_of.n` continuations of the untouched model, which takes the score itself but no training, comes near what DPO let loose reaches: {val}`mood.reference.best` against {val}`mood.strong.dpo.mood`.",
            plain="Letting the untouched model try {val}`mood.best_of.n` times and keeping the best try gets most of the way without training: {val}`mood.reference.best` against {val}`mood.strong.dpo.mood`."),
        claim("mood.claim.best_of_stays_near", "ratio_at_least", "mood.strong.dpo.kl", "mood.best_of.kl", bound=4.0,
            says="And it stays near: at most {val}`mood.best_of.kl` nats, where DPO let loose is {val}`mood.strong.dpo.kl` away.",
            plain="It also stays far closer to the original: {val}`mood.best_of.kl` against {val}`mood.strong.dpo.kl` for the standard method."),
        claim("mood.claim.strength_holds_dpo", "all_seeds", "mood.mild.dpo.kl", "mood.strong.dpo.kl",
            says="For DPO the strength decides the distance, {val}`mood.mild.dpo.kl` nats held back and {val}`mood.strong.dpo.kl` let loose, larger on every seed.",
            plain="A single setting decides how far the standard method strays: {val}`mood.mild.dpo.kl` or {val}`mood.strong.dpo.kl`."),
        claim("mood.claim.let_loose_dpo_brightens_more", "all_seeds", "mood.mild.dpo.mood", "mood.strong.dpo.mood",
            says="And let loose it brightens more: {val}`mood.strong.dpo.mood` against {val}`mood.mild.dpo.mood` held back, on every seed.",
            plain="Straying further it brightens more: {val}`mood.strong.dpo.mood` against {val}`mood.mild.dpo.mood`."),
        claim("mood.claim.let_loose_ipo_brightens_more", "all_seeds", "mood.mild.ipo.mood", "mood.strong.ipo.mood", bound=0.1,
            says="IPO held back orders {val}`mood.mild.ipo.trained` of its training pairs as the score does and gains {val}`mood.mild.ipo.gain`; let loose it orders {val}`mood.strong.ipo.trained` and gains {val}`mood.strong.ipo.gain`, more on every seed.",
            plain="Held back hard, one method gets its comparisons right and writes nearly as before, {val}`mood.mild.ipo.mood`; let loose it writes more brightly, {val}`mood.strong.ipo.mood`."),
        claim("mood.claim.strength_does_not_hold_simpo", "ratio_at_most", "mood.strong.simpo.kl", "mood.mild.simpo.kl", bound=1.5,
            says="SimPO knows no reference, and its strength does not hold it: {val}`mood.mild.simpo.kl` nats held back, {val}`mood.strong.simpo.kl` let loose.",
            plain="The method that forgets where it started is not held back by that setting: {val}`mood.mild.simpo.kl` or {val}`mood.strong.simpo.kl`."),
        claim("mood.claim.simpo_gets_less", "interval_above", "mood.gap.simpo", bound=0.0,
            says="It brightens less than KTO, {val}`mood.strong.simpo.mood` at {val}`mood.strong.simpo.kl` nats against {val}`mood.strong.kto.mood` at {val}`mood.strong.kto.kl`: the paired interval around {val}`mood.gap.simpo` lies above zero.",
            plain="It brightens less than the thumbs up and down do: {val}`mood.strong.simpo.mood` against {val}`mood.strong.kto.mood`."),
        claim("mood.claim.simpo_writes_strangely", "all_seeds", "mood.strong.kto.surprise", "mood.strong.simpo.surprise",
            says="And what it writes the untouched model finds less likely, {val}`mood.strong.simpo.surprise` nats a token against {val}`mood.strong.kto.surprise` for KTO, on every seed.",
            plain="Its sentences are stranger too: less like what the untouched model would write, on every run."),
        claim("mood.claim.better_ones_lose_too", "interval_below", "mood.strong.dpo.better", "mood.strong.kto.better", bound=0.0,
            says="Let loose, training makes the better continuations of its own pairs less likely as well: by {val}`mood.strong.dpo.better` nats under DPO and {val}`mood.strong.kto.better` under KTO, where the worse ones change by {val}`mood.strong.dpo.worse` and {val}`mood.strong.kto.worse`.",
            plain="Pushed hard, training makes even the preferred answers rarer; it gets its preference right by making the others rarer still."),
        claim("mood.claim.held_back_they_gain", "interval_above", "mood.mild.dpo.better", "mood.mild.ipo.better", "mood.mild.kto.better", bound=0.0,
            says="Held back, the better ones gain: {val}`mood.mild.dpo.better` nats under DPO, {val}`mood.mild.ipo.better` under IPO, {val}`mood.mild.kto.better` under KTO.",
            plain="Pushed gently, the preferred answers do become likelier."),
        claim("mood.claim.pairs_are_learnt_by_heart", "all_seeds", "mood.strong.dpo.held_out", "mood.strong.dpo.trained", bound=0.2,
            says="DPO let loose orders {val}`mood.strong.dpo.trained` of its training pairs as the score does and {val}`mood.strong.dpo.held_out` of other prompts' pairs: {val}`mood.ahead.dpo` apart.",
            plain="Comparisons that were shown are got right, {val}`mood.strong.dpo.trained`; new ones far less often, {val}`mood.strong.dpo.held_out`."),
        claim("mood.claim.others_near_a_coin", "interval_below", *(f"mood.strong.{m}.held_out" for m in METHODS), bound=0.7,
            says="On other prompts' pairs no method is far from a coin: {val}`mood.strong.dpo.held_out` by DPO, {val}`mood.strong.ipo.held_out` by IPO, {val}`mood.strong.simpo.held_out` by SimPO, {val}`mood.strong.kto.held_out` by KTO.",
            plain="On new comparisons no method is far from a coin."),
        claim("mood.claim.ordering_undecided", "interval_holds", "mood.gap.ordering", bound=0.0,
            says="Whether letting DPO loose orders other prompts' pairs better is not shown: {val}`mood.strong.dpo.held_out` against {val}`mood.mild.dpo.held_out` held back, and the paired interval around {val}`mood.gap.ordering` holds zero.",
            plain="That pushing harder also judges new comparisons better was not shown."),
        claim("mood.claim.kto_stays_close", "within", "mood.strong.dpo.mood", "mood.strong.kto.mood", bound=0.1,
            says="KTO, which is told good from bad but not which belonged together, stays close to DPO: {val}`mood.strong.kto.mood` at {val}`mood.strong.kto.kl` nats, {val}`mood.strong.dpo.mood` at {val}`mood.strong.dpo.kl`.",
            plain="Thumbs up and down do nearly as well as comparisons: {val}`mood.strong.kto.mood` against {val}`mood.strong.dpo.mood`."),
        claim("mood.claim.longer", "less", "mood.reference.tokens", "mood.strong.dpo.tokens", bound=1.0,
            says="Under DPO let loose sentences grow longer as well: {val}`mood.strong.dpo.tokens` tokens against {val}`mood.reference.tokens`, of {val}`mood.length` at most.",
            plain="Sentences grow longer as well, which nobody asked for."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """What distance buys; what happens to the pairs' two sides; training pairs against others."""
    return [_bought(outcomes), _sides(outcomes), _learnt(outcomes)]


def _bought(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(NAMES[m], SAID[s], o.seed, o.metrics[s][m]["kl"], o.metrics[s][m]["mood"]) for m in METHODS for s in STRENGTHS for o in outcomes]  # fmt: skip
    start = [float(o.metrics["reference"]["mood"]) for o in outcomes]
    best = [float(o.metrics["reference"]["best"]) for o in outcomes]
    bound = math.log(BEST_OF) - (BEST_OF - 1) / BEST_OF
    rows += [("untouched", "", o.seed, 0.0, y) for o, y in zip(outcomes, start, strict=True)]
    rows += [("best of several", "", o.seed, bound, y) for o, y in zip(outcomes, best, strict=True)]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(
                xscale="log", xlabel="estimated KL from the untouched model, nats (log scale)", ylabel="mean mood score"
            )
            axes.axhline(stats.iqm(start), color=palette.muted, linewidth=1.2, linestyle=(0, (4, 3)))
            series = []
            for index, m in enumerate(METHODS):
                points = [
                    [(float(r[3]), float(r[4])) for r in rows if r[0] == NAMES[m] and r[1] == SAID[s]]
                    for s in STRENGTHS
                ]
                for at in points:
                    axes.plot(*zip(*at, strict=True), linestyle="none", marker=".", color=plots.colour(theme, index), alpha=0.6, markersize=6, markeredgewidth=0)  # fmt: skip
                middle = sorted((stats.iqm([x for x, _ in at]), stats.iqm([y for _, y in at])) for at in points)
                series.append(plots.Line(NAMES[m], [x for x, _ in middle], [y for _, y in middle], index))
            plots.lines(axes, theme, series, room=0.16)
            axes.annotate("untouched", (axes.get_xlim()[1], stats.iqm(start)), xytext=(-4, 4), textcoords="offset points", ha="right", color=palette.muted, fontsize=plots.FONT - 1)  # fmt: skip
            axes.plot([bound] * len(best), best, linestyle="none", marker=".", color=palette.ink, alpha=0.6, markersize=6, markeredgewidth=0)  # fmt: skip
            axes.plot(
                [bound], [stats.iqm(best)], marker="*", markersize=13, color=palette.ink, linestyle="none", zorder=5
            )
            axes.annotate("best of several,\nuntrained", (bound, stats.iqm(best)), xytext=(9, -4), textcoords="offset points", color=palette.ink, fontsize=plots.FONT - 1, va="center")  # fmt: skip
            plots.plain_ticks(axes, x=True)

        return plots.figure(theme, 4.1, fill)

    return Figure(
        "mood_bought",
        "What distance buys on held-out prompts: mean mood of fresh continuations against their estimated KL from the untouched model, each method held back and let loose; a dot a seed, lines through interquartile means. The star keeps the best of {val}`mood.best_of.n` untrained continuations, at the upper bound of its KL.",
        "How much the sentences brighten, against how far the model has moved. Up and to the left is better; the star is the untouched model with several tries.",
        "Rising lines from left to right, one a method, above a dashed line for the untouched model; a star on the left marks the best of several tries.",
        table(rows, "method", "strength", "seed", "kl", "mood"),
        draw,
    )  # fmt: skip


def _beside(
    theme: Theme, sides: Sequence[tuple[str, Sequence[Sequence[float]]]], label: str, level: float
) -> plots.Canvas:
    """For every method the seeds' values of each side, next to each other; the sides are named beside the last method."""

    def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
        axes = canvas.subplots()
        axes.axhline(level, color=palette.muted, linewidth=1.2, linestyle=(0, (4, 3)))
        names = []
        for index, (name, values) in enumerate(sides):
            c = plots.colour(theme, index)
            for place, each in enumerate(values):
                x = place + 0.24 * (index - (len(sides) - 1) / 2)
                axes.plot([x] * len(each), each, linestyle="none", marker=".", color=c, alpha=0.6, markersize=7, markeredgewidth=0)  # fmt: skip
                axes.plot([x], [stats.iqm(each)], linestyle="none", marker=plots.MARKERS[index], color=c, markersize=8)
            names.append((name, len(METHODS) - 0.7, stats.iqm(values[-1]), index))
        axes.set(ylabel=label, xlim=(-0.5, len(METHODS) - 0.6))
        plots.names_at_end(axes, theme, names, room=0.2, gap=0.1)
        axes.set_xticks(range(len(METHODS)), [NAMES[m] for m in METHODS])
        axes.grid(axis="x", visible=False)

    return plots.figure(theme, 3.6, fill)


def _sides(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(NAMES[m], side, o.seed, o.metrics["strong"][m]["trained"][side]) for m in METHODS for side in ("better", "worse") for o in outcomes]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        sides = [(side, [[float(o.metrics["strong"][m]["trained"][side]) for o in outcomes] for m in METHODS]) for side in ("better", "worse")]  # fmt: skip
        return _beside(theme, sides, "change of log-probability, nats", 0.0)

    return Figure(
        "mood_sides",
        "What training, let loose, does to its own pairs: mean change of the log-probability of the better and of the worse continuations; a small dot a seed, interquartile means in front.",
        "How much likelier or rarer the preferred and the rejected answers became that training itself looked at. Below the dashed line means rarer.",
        "Dots for each method: the worse continuations lie far below the dashed zero line, the better ones nearer to it.",
        table(rows, "method", "side", "seed", "change"),
        draw,
    )  # fmt: skip


def _learnt(outcomes: Sequence[Outcome]) -> Figure:
    kinds = {"trained": "training\npairs", "held_out": "held-out\npairs"}
    rows = [(NAMES[m], kind, o.seed, o.metrics["strong"][m][kind]["share"]) for m in METHODS for kind in kinds for o in outcomes]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        sides = [(name, [[float(o.metrics["strong"][m][kind]["share"]) for o in outcomes] for m in METHODS]) for kind, name in kinds.items()]  # fmt: skip
        return _beside(theme, sides, "pairs ordered as the score does", 0.5)

    return Figure(
        "mood_learnt",
        "Share of pairs that each method, let loose, orders as the score does: those it was trained on, and those of held-out prompts; the dashed line is a coin's share.",
        "How many comparisons each method gets right: those it was shown, and new ones. The dashed line is what a coin gets.",
        "Dots near the top for training pairs of most methods and dots near the dashed line for held-out pairs.",
        table(rows, "method", "pairs", "seed", "share"),
        draw,
    )  # fmt: skip
