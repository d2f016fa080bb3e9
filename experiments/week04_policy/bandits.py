"""Softmax bandits: a policy whose gradient can be written down, to hold every estimator against.

K arms with mean rewards mu (K,), noise of a known deviation, logits theta (K,). With one action a and its reward x,

    exact gradient     dJ/dtheta = p * (mu - p @ mu)
    one sample         g = (x - b) (e_a - p)

The functions here return the estimates of many batches at once, (R, K), so that bias and variance can be measured, and
`variance` gives the variance of one sample exactly. Off-policy estimators weigh samples of q by w = p / q.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Estimator = Literal["none", "mean", "value", "optimal", "leave_one_out", "group", "model"]
Weighting = Literal["ignored", "plain", "clipped", "self_normalised"]


def softmax(theta: Array) -> Array:
    """Probabilities (K,) of logits (K,)."""
    e = np.exp(theta - theta.max())
    return np.asarray(e / e.sum())


def exact_gradient(theta: Array, mu: Array) -> Array:
    """dJ/dtheta (K,) of J = p @ mu."""
    p = softmax(theta)
    return np.asarray(p * (mu - p @ mu))


def optimal_baseline(theta: Array, mu: Array) -> float:
    """The constant b that makes one sample's total variance least: E[|s|^2 x] / E[|s|^2] with s = e_a - p.

    (Greensmith et al. 2004.) It is not the value p @ mu, except where all scores are equally long.
    """
    p = softmax(theta)
    length = ((np.eye(len(p)) - p) ** 2).sum(1)
    return float((p * length) @ mu / (p @ length))


def variance(theta: Array, mu: Array, noise: float, baseline: float | Array) -> float:
    """Total variance (trace of the covariance) of one sample (x - b) (e_a - p), exactly.

    `baseline` may depend on the arm where the estimator adds the expectation back (`model`): then it is (K,).
    """
    p = softmax(theta)
    b = np.broadcast_to(np.asarray(baseline, dtype=np.float64), mu.shape)
    scores = np.eye(len(p)) - p
    weights = mu - b
    mean = p @ (weights[:, None] * scores)
    second = float(p @ ((weights**2 + noise**2) * (scores**2).sum(1)))
    return second - float(mean @ mean)


def sample(
    theta: Array, mu: Array, noise: float, shape: tuple[int, int], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], Array]:
    """Arms and rewards (R, n): R batches of n draws from the policy."""
    p = softmax(theta)
    arms = rng.choice(len(p), size=shape, p=p)
    return arms, mu[arms] + noise * rng.standard_normal(shape)


def estimates(name: Estimator, theta: Array, mu: Array, arms: npt.NDArray[np.int64], x: Array, model: Array) -> Array:
    """Gradient estimates (R, K) of batches of arms and rewards (R, n).

    none: b = 0. mean: the batch's mean reward, each sample's own included, so biased by (n - 1) / n. leave_one_out: the
    mean of the *others* (RLOO), unbiased. group: divided by the batch's deviation as GRPO does, another direction's
    length. value and optimal: the exact p @ mu and `optimal_baseline`. model: subtract a guess (K,) of each arm's
    reward and add its exact gradient back, a control variate.
    """
    p = softmax(theta)
    scores = np.eye(len(p))[arms] - p  # (R, n, K)
    n = x.shape[1]
    match name:
        case "none":
            A = x
        case "mean":
            A = x - x.mean(1, keepdims=True)
        case "leave_one_out":
            A = (x - x.mean(1, keepdims=True)) * n / (n - 1)
        case "group":
            A = (x - x.mean(1, keepdims=True)) / (x.std(1, keepdims=True, ddof=1) + 1e-4)
        case "value":
            A = x - p @ mu
        case "optimal":
            A = x - optimal_baseline(theta, mu)
        case "model":
            A = x - model[arms]
    g = np.einsum("rn,rnk->rk", A, scores) / n
    return np.asarray(g + exact_gradient(theta, model) if name == "model" else g)


def off_policy(
    name: Weighting, theta: Array, q: Array, arms: npt.NDArray[np.int64], x: Array, baseline: float, clip: float = 1.0
) -> Array:
    """Gradient estimates (R, K) from arms drawn from q (K,): weights ignored, p / q, min(clip, p / q), normalised."""
    p = softmax(theta)
    w = (p / q)[arms]
    match name:
        case "ignored":
            w = np.ones_like(w)
        case "clipped":
            w = np.minimum(w, clip)
        case "self_normalised":
            w = w / w.mean(1, keepdims=True)
        case "plain":
            pass
    scores = np.eye(len(p))[arms] - p
    return np.asarray(np.einsum("rn,rnk->rk", w * (x - baseline), scores) / x.shape[1])
