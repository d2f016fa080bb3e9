"""Preference learning where everything can be added up: few prompts, few completions, a policy that is a table.

The truth: rewards r(x, y), preferences by Bradley and Terry, P(y beats y') = sig(r - r'). So what the objective

    E r(x, y) - beta KL(pi || ref)      is best served by,   pi*(y | x) proportional to ref(y | x) exp(r(x, y) / beta),

is known exactly, and so is IPO's own optimum, pi proportional to ref exp(E_{y' ~ ref} P(y beats y') / tau) (Azar et al.
2023, theorem 1). Completions have lengths, for the losses that average over tokens. Pairs are drawn from the reference
and labelled by the truth, either by chance or always in favour of the better one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.week04_policy import preferences
from experiments.week04_policy.preferences import Pairs

Array = npt.NDArray[np.float64]
Method = Literal["dpo", "ipo", "hinge", "simpo", "orpo", "kto"]
METHODS: tuple[Method, ...] = ("dpo", "ipo", "simpo", "orpo", "kto")


@dataclass(frozen=True)
class Problem:
    """Rewards, reference log-probabilities and token counts, (X, Y) each; prompts are equally likely."""

    rewards: Tensor
    reference: Tensor
    lengths: Tensor


@dataclass(frozen=True)
class Data:
    """Distinct comparisons: prompt, chosen and rejected completion (B,), and their shares (B,), which sum to 1."""

    prompt: Tensor
    chosen: Tensor
    rejected: Tensor
    share: Tensor


@dataclass(frozen=True)
class Config:
    """How a table is trained: full-batch Adam, `rate` falling to zero along a cosine, or constant if not `decay`."""

    method: Method = "dpo"
    beta: float = 0.5
    gamma: float = 0.5  # SimPO's target margin
    steps: int = 600
    rate: float = 0.05
    decay: bool = True


def problem(seed: int, prompts: int = 4, completions: int = 8, spread: float = 0.7) -> Problem:
    """A random problem; lengths run from 2 to 9 tokens and have nothing to do with rewards."""
    rng = np.random.default_rng(seed)
    rewards, logits = rng.standard_normal((2, prompts, completions))
    lengths = rng.integers(2, 10, (prompts, completions)).astype(np.float64)
    return Problem(
        torch.from_numpy(rewards), F.log_softmax(torch.from_numpy(spread * logits), -1), torch.from_numpy(lengths)
    )


def best(p: Problem, beta: float) -> Tensor:
    """log pi* (X, Y) of the reward objective."""
    return F.log_softmax(p.reference + p.rewards / beta, -1)


def wins(p: Problem) -> Tensor:
    """P(y beats y') (X, Y, Y)."""
    return torch.sigmoid(p.rewards[:, :, None] - p.rewards[:, None, :])


def best_ipo(p: Problem, tau: float) -> Tensor:
    """log pi (X, Y) of IPO's objective."""
    mean_win = (wins(p) * p.reference.exp()[:, None, :]).sum(-1)
    return F.log_softmax(p.reference + mean_win / tau, -1)


def divergence(log_p: Tensor, log_q: Tensor) -> float:
    """KL(p || q) in nats, averaged over prompts; rounding may take a zero below itself, which no divergence is."""
    return max(0.0, float((log_p.exp() * (log_p - log_q)).sum(-1).mean()))


def value(p: Problem, log_pi: Tensor) -> float:
    """Expected reward of a policy."""
    return float((log_pi.exp() * p.rewards).sum(-1).mean())


def agreement(p: Problem, log_pi: Tensor) -> float:
    """Share of all pairs that the policy's log-ratio to the reference orders as the rewards do."""
    gain = log_pi - p.reference
    Y = gain.shape[1]
    i, j = torch.triu_indices(Y, Y, 1)
    return float((((gain[:, i] - gain[:, j]) * (p.rewards[:, i] - p.rewards[:, j])) > 0).double().mean())


def population(p: Problem) -> Data:
    """Infinite data: every ordered pair of different completions, with its true share."""
    X, Y = p.rewards.shape
    x, w, l = (t.reshape(-1) for t in torch.meshgrid(torch.arange(X), torch.arange(Y), torch.arange(Y), indexing="ij"))
    keep = w != l
    x, w, l = x[keep], w[keep], l[keep]
    mu = p.reference.exp()
    share = mu[x, w] * mu[x, l] * wins(p)[x, w, l]
    return Data(x, w, l, share / share.sum())


def sampled(p: Problem, pairs: int, seed: int, *, certain: bool = False) -> Data:
    """`pairs` comparisons; `certain` ones always prefer the higher reward."""
    rng = np.random.default_rng(seed)
    X, Y = p.rewards.shape
    mu, r = p.reference.exp().numpy(), p.rewards.numpy()
    x = rng.integers(X, size=pairs)
    a, b = ((mu[x].cumsum(1) < rng.random((pairs, 1))).sum(1).clip(max=Y - 1) for _ in range(2))
    x, a, b = x[a != b], a[a != b], b[a != b]
    gap = r[x, a] - r[x, b]
    a_wins = gap > 0 if certain else rng.random(len(x)) < 1 / (1 + np.exp(-gap))
    w, l = np.where(a_wins, a, b), np.where(a_wins, b, a)
    code, counts = np.unique((x * Y + w) * Y + l, return_counts=True)
    parts = (code // (Y * Y), code // Y % Y, code % Y)
    return Data(*(torch.from_numpy(t) for t in parts), torch.from_numpy(counts / counts.sum()))  # type: ignore[call-arg]


def loss(config: Config, p: Problem, data: Data, log_pi: Tensor) -> Tensor:
    """The method's loss of a table (X, Y) on the data."""
    x, w, l = data.prompt, data.chosen, data.rejected
    ref, n = p.reference, p.lengths
    pairs = Pairs(log_pi[x, w], log_pi[x, l], ref[x, w], ref[x, l], n[x, w], n[x, l])
    match config.method:
        case "dpo":
            each = preferences.dpo(pairs, config.beta)
        case "ipo":
            each = preferences.ipo(pairs, config.beta)
        case "hinge":
            each = preferences.hinge(pairs, config.beta)
        case "simpo":
            each = preferences.simpo(pairs, config.beta, config.gamma)
        case "orpo":
            each = preferences.orpo(pairs, config.beta)
        case "kto":
            # z is what the batch of mismatched pairs estimates: the policy's KL from the reference, here exactly
            z = preferences.kto_reference((log_pi.exp() * (log_pi - ref)).sum(-1))
            yes = torch.ones_like(w, dtype=torch.bool)
            each = preferences.kto(pairs.chosen - pairs.ref_chosen, yes, z, config.beta) + preferences.kto(
                pairs.rejected - pairs.ref_rejected, ~yes, z, config.beta
            )
    return (data.share * each).sum()


def train(
    config: Config, p: Problem, data: Data, looks: Sequence[int] = (), see: Callable[[int, Tensor], None] | None = None
) -> Tensor:
    """log pi (X, Y) after training from the reference; `see(step, log_pi)` is called at the steps of `looks`."""
    theta = p.reference.clone().requires_grad_()
    optimizer = torch.optim.Adam([theta], lr=config.rate)
    for step in range(config.steps + 1):
        log_pi = F.log_softmax(theta, -1)
        if see is not None and step in looks:
            see(step, log_pi.detach())
        if step == config.steps:
            break
        if config.decay:
            optimizer.param_groups[0]["lr"] = 0.5 * config.rate * (1 + math.cos(math.pi * step / config.steps))
        optimizer.zero_grad()
        loss(config, p, data, log_pi).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return log_pi.detach()


def reward_then_best(p: Problem, data: Data, beta: float, steps: int = 600, rate: float = 0.05) -> Tensor:
    """The long way round: fit rewards to the comparisons, then take the exact optimum for them."""
    r = torch.zeros_like(p.rewards, requires_grad=True)
    optimizer = torch.optim.Adam([r], lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.5 * rate * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        each = preferences.reward_model(r[data.prompt, data.chosen], r[data.prompt, data.rejected])
        (data.share * each).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return F.log_softmax(p.reference + r.detach() / beta, -1)
