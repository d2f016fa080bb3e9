"""Preference learning on a real language model: SmolLM2 is to end sentences on a brighter note.

The policy continues a prompt by one sentence of a few tokens. The reward is VADER's compound score of the continuation
(Hutto & Gilbert 2014): a lexicon of words with their moods and rules for negation and emphasis, from -1 to 1. Pairs are
made from continuations that the untouched model drew itself: of each prompt's, the best with the worst, the second best
with the second worst, and so on; equal scores make no pair. Then one of week 4's preference losses is minimised.

What is trained is small: W_down of the last block becomes W_down + B A of low rank (LoRA, Hu et al. 2021), B = 0 at
first. All that comes before is the same for every policy, so the activations that enter B A are kept from sampling and
the thirty blocks never run again in training. And what is chosen from is small: a vocabulary of the most frequent
tokens that are words, parts of words or marks; the reference policy is the model under this restriction.

Departures: KTO's reference point z is the policy's next-token KL from the reference, added up along the batch's
completions, instead of an estimate from mismatched ones. Pairs carry no noise: the higher score always wins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.kit.contract import Log
from experiments.week04_policy import preferences
from experiments.week04_policy.preferences import Pairs
from experiments.week04_policy.smollm import Model, Tokenizer, caches, decode, repeated, rms_norm, run

Method = Literal["dpo", "ipo", "simpo", "kto"]
METHODS: tuple[Method, ...] = ("dpo", "ipo", "simpo", "kto")

# Prompts of our own without a word that the reward knows: policies learn on the first and are judged on the second.
TRAINING = (
    "The film was", "The food at the new place was", "Her first week at the office was", "The weather today is",
    "After the meeting everyone felt", "The book I finished yesterday is", "Our trip to the coast was",
    "The teacher said the class was", "My neighbour told me that his garden was", "The music in the hall was",
    "When the results came in, the team felt", "The house at the end of the road looked", "The new phone is",
    "His answer to the question was", "The train ride home was", "The crowd at the match was",
    "She read the letter and felt", "The people we met there were", "The coffee in this town is",
    "On the way back the children were", "The last chapter of the story is", "The doctor said the week was",
    "Most visitors say the museum is", "The speech in the morning was",
)  # fmt: skip
HELD_OUT = (
    "The concert last night was", "The hotel room was", "My brother says his job is", "The soup they brought us was",
    "The walk along the river was", "After the phone call she felt", "The picture on the wall is",
    "The town we grew up in was", "Working with them has been", "The view from the window is",
    "The second half of the game was", "The letter from the bank was",
)  # fmt: skip

WORDS = re.compile(rb" ?[A-Za-z]+|[.,!?;:]|'(?:s|t|re|ve|m|d|ll)| ?-")
ENDS = (b".", b"!", b"?")


@dataclass(frozen=True)
class Config:
    """`strength` is each loss's beta, `gamma` SimPO's target margin; `batch` pairs a step, `rank` of B A."""

    method: Method = "dpo"
    strength: float = 1.0
    gamma: float = 0.5
    rank: int = 16
    steps: int = 40
    batch: int = 16
    rate: float = 3e-3


class Head(NamedTuple):
    """The restricted output layer: its tokens' ids (V,) and vectors (V, W), which of them end a sentence (V,)."""

    ids: Tensor
    tokens: Tensor
    ends: Tensor
    norm: Tensor
    eps: float


class Adapter(NamedTuple):
    """What is learnt: A (r, F) and B (W, r)."""

    A: Tensor
    B: Tensor


class Drawn(NamedTuple):
    """N continuations of up to T tokens: the places of their tokens in the head's vocabulary (N, T), which of them
    happened (N, T), and what the policy's last layers read before each: inner (N, T, F) and x (N, T, W)."""

    tokens: Tensor
    mask: Tensor
    inner: Tensor
    x: Tensor

    def rows(self, at: Tensor) -> Drawn:
        """Some of the continuations."""
        return Drawn(*(part[at] for part in self))


def head(model: Model, t: Tokenizer, size: int) -> Head:
    """The `size` most frequent tokens that are words, parts of words or marks."""
    ids = [i for i, token in enumerate(t.spells) if WORDS.fullmatch(token)][:size]
    ends = torch.tensor([t.spells[i] in ENDS for i in ids])
    return Head(torch.tensor(ids), model.tokens[ids].contiguous(), ends, model.norm, model.eps)


def log_p(h: Head, adapter: Adapter | None, inner: Tensor, x: Tensor) -> Tensor:
    """log pi (..., V) of the next token; without an adapter the reference's."""
    if adapter is not None:
        x = x + F.linear(F.linear(inner, adapter.A), adapter.B)
    return F.log_softmax(F.linear(rms_norm(x, h.norm, h.eps), h.tokens), -1)


@torch.no_grad()
def sample(
    model: Model, h: Head, adapter: Adapter | None, prompts: Sequence[Sequence[int]], n: int, T: int, g: torch.Generator
) -> Drawn:
    """n continuations of each prompt, prompt by prompt, of at most T tokens; a sentence's end ends one."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + list(p) for p in prompts])
    visible = torch.tensor([[False] * (longest - len(p)) + [True] * len(p) for p in prompts])
    kept = caches(model, len(prompts), longest + T)
    inner, x = (part[:, -1].repeat_interleave(n, 0) for part in run(model, ids, kept, visible))
    kept, visible = repeated(kept, n), visible.repeat_interleave(n, 0)
    alive = torch.ones(len(visible), dtype=torch.bool)
    steps = []
    for t in range(T):
        tokens = torch.multinomial(log_p(h, adapter, inner, x).exp(), 1, generator=g)[:, 0]  # (N,)
        steps.append((tokens, alive, inner, x))
        alive = alive & ~h.ends[tokens]
        if t == T - 1 or not alive.any():
            break
        visible = F.pad(visible, (0, 1), value=True)
        inner, x = (part[:, 0] for part in run(model, h.ids[tokens][:, None], kept, visible))
    return Drawn(*(torch.stack(part, 1) for part in zip(*steps, strict=True)))


def texts(t: Tokenizer, h: Head, drawn: Drawn) -> list[str]:
    """The continuations as text."""
    return [decode(t, h.ids[row[mask]].tolist()) for row, mask in zip(drawn.tokens, drawn.mask, strict=True)]


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def mood(text: str) -> float:
    """VADER's compound score of a text, from -1 to 1; 0 where it knows no word."""
    return float(_vader().polarity_scores(text)["compound"])


def paired(rewards: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the better and the worse (M,) from rewards (P, n) of P prompts' continuations, prompt by prompt."""
    P, n = rewards.shape
    order = rewards.sort(descending=True, stable=True).indices + torch.arange(P)[:, None] * n
    better, worse = order[:, : n // 2].flatten(), order.flip(1)[:, : n // 2].flatten()
    apart = rewards.flatten()[better] > rewards.flatten()[worse]
    return better[apart], worse[apart]


def scored(h: Head, adapter: Adapter | None, drawn: Drawn) -> tuple[Tensor, Tensor]:
    """log pi (N,) of whole continuations, and log pi (N', V) of what could follow at each of their N' tokens."""
    every = log_p(h, adapter, drawn.inner[drawn.mask], drawn.x[drawn.mask])
    taken = every.gather(-1, drawn.tokens[drawn.mask][:, None])[:, 0]
    return summed(taken, drawn.mask), every


def summed(values: Tensor, mask: Tensor) -> Tensor:
    """Sums (N,) over each row's tokens of values (N',) of the tokens under mask (N, T)."""
    row = torch.arange(len(mask))[:, None].expand_as(mask)[mask]
    return values.new_zeros(len(mask)).index_add(0, row, values)


def divergence(every: Tensor, reference: Tensor, mask: Tensor) -> Tensor:
    """KL(pi || ref) (N,) of the next token, added up along each continuation, from log pi and log ref (N', V).

    Over continuations that pi drew, its mean is an unbiased estimate of the KL between whole continuations.
    """
    return summed((every.exp() * (every - reference)).sum(-1), mask)


def loss(config: Config, h: Head, adapter: Adapter, better: Drawn, worse: Drawn, reference: Tensor) -> Tensor:
    """The method's loss of a batch of B pairs, whose log ref are `reference` (2, B)."""
    drawn = Drawn(*(torch.cat(parts) for parts in zip(better, worse, strict=True)))
    total, every = scored(h, adapter, drawn)
    (w, l), (n_w, n_l) = total.chunk(2), drawn.mask.sum(-1).chunk(2)
    pairs = Pairs(w, l, reference[0], reference[1], n_w, n_l)
    match config.method:
        case "dpo":
            return preferences.dpo(pairs, config.strength).mean()
        case "ipo":
            return preferences.ipo(pairs, config.strength).mean()
        case "simpo":
            return preferences.simpo(pairs, config.strength, config.gamma).mean()
        case "kto":
            with torch.no_grad():
                z = divergence(every, scored(h, None, drawn)[1], drawn.mask).mean()
            good = torch.arange(len(total)) < len(w)
            return preferences.kto(total - reference.flatten(), good, z, config.strength).mean()


def train(
    config: Config, h: Head, drawn: Drawn, reference: Tensor, better: Tensor, worse: Tensor, seed: int, log: Log
) -> Adapter:
    """Minimise the method's loss over pairs of the continuations drawn, by Adam; the rate falls linearly to zero.

    `reference` (N,) is log ref of each continuation. Raises ValueError without pairs.
    """
    if not len(better):
        raise ValueError("no two continuations of a prompt differ in score: draw more of them, or longer ones")
    g = torch.Generator().manual_seed(seed)
    F_, W = drawn.inner.shape[-1], drawn.x.shape[-1]
    A = (torch.randn(config.rank, F_, generator=g) / F_**0.5).requires_grad_()
    adapter = Adapter(A, torch.zeros(W, config.rank, requires_grad=True))
    optimizer = torch.optim.Adam(adapter, lr=config.rate)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.rate * (1 - step / config.steps)
        rows = torch.randperm(len(better), generator=g)[: config.batch]
        w, l = better[rows], worse[rows]
        optimizer.zero_grad()
        value = loss(config, h, adapter, drawn.rows(w), drawn.rows(l), reference[torch.stack((w, l))])
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        log({"step": step, "loss": float(value.detach())})
    return Adapter(*(part.detach() for part in adapter))
