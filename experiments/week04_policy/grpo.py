"""GRPO (Shao et al. 2024): PPO's clipped ratio without a critic; the group is the baseline.

G attempts at one question are scored, and every step of attempt i gets the same advantage,

    A_i = (R_i - mean(R)) / (std(R) + eps),

plus a penalty beta k3 on the way from a reference policy, k3 = exp(q - p) - (q - p) - 1 >= 0 with log-probabilities
p and q = ref. Dr. GRPO (Liu et al. 2025) leaves out the division by the deviation. Made for language models, where
attempts share a prompt. Here attempts are whole episodes and a batch is one group: fair where start states hardly
differ (CartPole, Acrobot), a handicap where luck of the start decides (Pendulum).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from experiments.kit.contract import Log
from experiments.week04_policy.gae import Array
from experiments.week04_policy.policy import Actor, adam
from experiments.week04_policy.ppo import clipped_objective
from experiments.week04_policy.rollout import Curve, Rollouts, learn

Mean = Literal["sequence", "token", "place"]


@dataclass(frozen=True)
class Config:
    """`copies` is the size of the group."""

    task: str = "CartPole-v1"
    steps: int = 100_000
    evaluations: int = 10
    copies: int = 16
    rate: float = 1e-3
    clip: float = 0.2
    epochs: int = 4
    batch: int = 1024
    scale: bool = True


def group_advantages(scores: Array, scale: bool = True, eps: float = 1e-4) -> Array:
    """Advantages (..., G) of scores (..., G) within each group; the deviation has G - 1 below it, as TRL's."""
    centred: Array = scores - scores.mean(-1, keepdims=True)
    if scale:
        centred = centred / (scores.std(-1, keepdims=True, ddof=1) + eps)
    return centred


def k3(log_p: Tensor, log_ref: Tensor) -> Tensor:
    """Schulman's estimate of KL(pi || ref) from samples of pi: unbiased, never negative."""
    gap = log_ref - log_p
    return gap.exp() - gap - 1


def grpo_loss(
    log_p: Tensor, log_old: Tensor, log_ref: Tensor, advantages: Tensor, mask: Tensor, clip: float, beta: float,
    over: Mean = "sequence", longest: int = 1,
) -> Tensor:  # fmt: skip
    """The language-model form: tokens (B, L) under `mask`, advantages (B,).

    `over` says what is averaged: a "sequence" each and then those (GRPO: a token weighs less in a long one), every
    "token" alike (DAPO, Yu et al. 2025), or all the "place"s of sequences `longest` tokens long (Dr. GRPO).
    """
    token = -clipped_objective(log_p - log_old, advantages[:, None], clip) + beta * k3(log_p, log_ref)
    if over == "sequence":
        return ((token * mask).sum(-1) / mask.sum(-1).clamp(min=1)).mean()
    tokens = mask.sum().clamp(min=1) if over == "token" else len(mask) * longest
    return (token * mask).sum() / tokens


def train(config: Config, seed: int, log: Log) -> Curve:
    """One run on a control task."""
    torch.manual_seed(seed)
    rollouts = Rollouts(config.task, config.copies, seed)
    copies = rollouts.copies
    actor = Actor(copies.observed, copies.actions, copies.size)
    optimizer = adam(actor, config.rate)

    def update(progress: float) -> tuple[int, Mapping[str, float]]:
        batch = rollouts.episodes(actor)
        x, actions = batch.flat()
        scores = np.where(batch.valid, batch.rewards, 0.0).sum(0)
        weight = batch.pick(np.broadcast_to(group_advantages(scores, config.scale), batch.valid.shape))
        with torch.no_grad():
            old = actor(x).log_prob(actions)
        for _ in range(config.epochs):
            for rows in torch.randperm(len(x)).split(config.batch):  # type: ignore[no-untyped-call]
                loss = -clipped_objective(
                    actor(x[rows]).log_prob(actions[rows]) - old[rows], weight[rows], config.clip
                ).mean()
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        return batch.steps, {"train_return": float(scores.mean())}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)
