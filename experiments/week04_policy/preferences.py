"""Losses that learn from preferences, without a reward model and with one.

Notation: log p is the sum over a completion's tokens of the policy's log-probability, ref of the reference policy's,
and a pair holds a chosen (w) and a rejected (l) completion. With the log-ratios
c = log p_w - ref_w and r = log p_l - ref_l:

    DPO    -log sig(beta (c - r))                                    Rafailov et al. 2023
    IPO    (c - r - 1 / (2 beta))^2                                  Azar et al. 2023
    hinge  max(0, 1 - beta (c - r))                                  Zhao et al. 2023 (SLiC)
    SimPO  -log sig(beta (log p_w / n_w - log p_l / n_l) - gamma)    Meng et al. 2024, no reference
    ORPO   nll_w - beta log sig(logit P_w - logit P_l)               Hong et al. 2024, P = exp(log p / n), no reference
    KTO    v_w (1 - sig(beta (c - z))), v_l (1 - sig(beta (z - r)))  Ethayarajh et al. 2024, no pairs needed

Every function returns one loss a pair or completion, (B,). Where TRL departs from a paper it is said and offered:
its IPO divides each log-ratio by the completion's length, on the authors' word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Pairs:
    """Log-probabilities (B,) of chosen and rejected completions and their token counts (B,)."""

    chosen: Tensor
    rejected: Tensor
    ref_chosen: Tensor
    ref_rejected: Tensor
    n_chosen: Tensor
    n_rejected: Tensor

    @property
    def margin(self) -> Tensor:
        """c - r: by how much more the policy prefers the chosen one than its reference does."""
        return (self.chosen - self.ref_chosen) - (self.rejected - self.ref_rejected)


def dpo(p: Pairs, beta: float) -> Tensor:
    """Direct preference optimization. At the reference it is log 2, whatever the data."""
    return -F.logsigmoid(beta * p.margin)


def ipo(p: Pairs, beta: float, *, averaged: bool = False) -> Tensor:
    """Identity preference optimization; `averaged` as in TRL."""
    if averaged:
        c, r = p.chosen - p.ref_chosen, p.rejected - p.ref_rejected
        return (c / p.n_chosen - r / p.n_rejected - 1 / (2 * beta)).square()
    return (p.margin - 1 / (2 * beta)).square()


def hinge(p: Pairs, beta: float) -> Tensor:
    """The hinge of sequence likelihood calibration."""
    return F.relu(1 - beta * p.margin)


def simpo(p: Pairs, beta: float, gamma: float) -> Tensor:
    """Simple preference optimization: average log-probability as the reward, a target margin gamma."""
    return -F.logsigmoid(beta * (p.chosen / p.n_chosen - p.rejected / p.n_rejected) - gamma)


def log_odds(log_p: Tensor) -> Tensor:
    """log(P / (1 - P)) of P = exp(log_p) < 1, exact also for P near 0 and 1."""
    return log_p - torch.where(log_p > -math.log(2), (-log_p.expm1()).log(), (-log_p.exp()).log1p())


def orpo(p: Pairs, beta: float, nll: Tensor | None = None) -> Tensor:
    """Odds ratio preference optimization. `nll` is the supervised loss on the chosen, by default its mean a token."""
    a, b = p.chosen / p.n_chosen, p.rejected / p.n_rejected
    supervised = -a if nll is None else nll
    return supervised - beta * F.logsigmoid(log_odds(a) - log_odds(b))


def kto(
    log_ratio: Tensor, desirable: Tensor, reference: Tensor, beta: float, weights: tuple[float, float] = (1.0, 1.0)
) -> Tensor:
    """Kahneman-Tversky optimization of single completions.

    log_ratio (B,) is log p - ref, `desirable` (B,) of bool, `reference` the point z >= 0 that gains and losses are
    counted from (`kto_reference`), `weights` those of desirable and undesirable ones.
    """
    z = reference.detach()
    gain = torch.where(desirable, log_ratio - z, z - log_ratio)
    weight = torch.where(desirable, weights[0], weights[1])
    return weight * (1 - torch.sigmoid(beta * gain))


def kto_reference(mismatched: Tensor) -> Tensor:
    """z: the mean log-ratio of completions put to other prompts, an estimate of a KL, so not below 0; no gradient."""
    return mismatched.mean().clamp(min=0).detach()


def reward_model(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0, centring: float = 0.0) -> Tensor:
    """Bradley-Terry: -log sig(r_w - r_l - margin), and `centring` (r_w + r_l)^2 to fix the scale's origin."""
    return -F.logsigmoid(chosen - rejected - margin) + centring * (chosen + rejected).square()
