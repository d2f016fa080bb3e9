"""Policies and values: a small network, and the two distributions that its outputs are read as.

Orthogonal initialisation, tanh layers, a last policy layer near zero: so every action is about equally likely at
first (Andrychowicz et al. 2021 find that it matters). Without hidden layers on one-hot observations
a policy is a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOG_2PI = math.log(2 * math.pi)


class Categorical(NamedTuple):
    """A choice among A actions; `log_p` (..., A) is normalised."""

    log_p: Tensor

    def sample(self, generator: torch.Generator) -> Tensor:
        """Actions (...,), by Gumbel's trick: the largest of log p plus Gumbel noise."""
        noise = torch.empty_like(self.log_p).exponential_(generator=generator)
        return (self.log_p - noise.log()).argmax(-1)

    def mode(self) -> Tensor:
        """The likeliest action."""
        return self.log_p.argmax(-1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log pi(a) of actions (...,)."""
        return self.log_p.gather(-1, actions[..., None])[..., 0]

    def entropy(self) -> Tensor:
        """Entropy (...,) in nats."""
        return -(self.log_p.exp() * self.log_p).sum(-1)

    def kl_to(self, other: Categorical) -> Tensor:
        """KL(self || other) (...,) in nats."""
        return (self.log_p.exp() * (self.log_p - other.log_p)).sum(-1)

    def detach(self) -> Categorical:
        """The same, out of the graph."""
        return Categorical(self.log_p.detach())

    def at(self, rows: Tensor) -> Categorical:
        """Some rows of it."""
        return Categorical(self.log_p[rows])


class Gaussian(NamedTuple):
    """Independent normal numbers: `mean` and `log_std` (..., A)."""

    mean: Tensor
    log_std: Tensor

    def sample(self, generator: torch.Generator) -> Tensor:
        """Actions (..., A)."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + self.log_std.exp() * noise

    def mode(self) -> Tensor:
        """The likeliest action."""
        return self.mean

    def log_prob(self, actions: Tensor) -> Tensor:
        """Log density (...,) of actions (..., A)."""
        z = (actions - self.mean) * (-self.log_std).exp()
        return (-0.5 * (z * z + LOG_2PI) - self.log_std).sum(-1)

    def entropy(self) -> Tensor:
        """Entropy (...,) in nats."""
        return (self.log_std + 0.5 * (1 + LOG_2PI)).sum(-1)

    def kl_to(self, other: Gaussian) -> Tensor:
        """KL(self || other) (...,) in nats."""
        ratio = (2 * (self.log_std - other.log_std)).exp()
        gap = ((self.mean - other.mean) * (-other.log_std).exp()) ** 2
        return (0.5 * (ratio + gap - 1) + other.log_std - self.log_std).sum(-1)

    def detach(self) -> Gaussian:
        """The same, out of the graph."""
        return Gaussian(self.mean.detach(), self.log_std.detach())

    def at(self, rows: Tensor) -> Gaussian:
        """Some rows of it."""
        return Gaussian(self.mean[rows], self.log_std[rows])


Distribution = Categorical | Gaussian


def kl(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q) (...,) of two distributions of one kind. Raises TypeError for two kinds."""
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        return p.kl_to(q)
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        return p.kl_to(q)
    raise TypeError("KL needs two distributions of one kind")


def layers(sizes: Sequence[int], last_gain: float) -> list[tuple[Tensor, Tensor]]:
    """Orthogonal weights (out, in) and zero biases of a tanh network with these sizes."""
    made = []
    for i in range(len(sizes) - 1):
        weight = torch.empty(sizes[i + 1], sizes[i])
        nn.init.orthogonal_(weight, last_gain if i == len(sizes) - 2 else math.sqrt(2))
        made.append((weight, torch.zeros(sizes[i + 1])))
    return made


class MLP(nn.Module):
    """A tanh network (..., sizes[0]) -> (..., sizes[-1])."""

    def __init__(self, sizes: Sequence[int], last_gain: float) -> None:
        super().__init__()
        self.pairs = [(nn.Parameter(w), nn.Parameter(b)) for w, b in layers(sizes, last_gain)]
        for i, (w, b) in enumerate(self.pairs):
            self.register_parameter(f"weight{i}", w)
            self.register_parameter(f"bias{i}", b)

    def forward(self, x: Tensor) -> Tensor:
        """Plain calls, not a stack of modules: for nets this small their overhead is what costs."""
        for w, b in self.pairs[:-1]:
            x = F.linear(x, w, b).tanh()
        return F.linear(x, *self.pairs[-1])


class Actor(nn.Module):
    """Observations (..., D) -> a distribution over actions. `actions` discrete ones, or 0 for `size` numbers."""

    def __init__(self, observed: int, actions: int, size: int = 1, hidden: Sequence[int] = (64, 64)) -> None:
        super().__init__()
        self.discrete = actions > 0
        self.net = MLP([observed, *hidden, actions or size], 0.01)
        if not self.discrete:
            self.log_std = nn.Parameter(torch.zeros(size))

    def forward(self, observations: Tensor) -> Distribution:
        """The distribution in each state."""
        out = self.net(observations)
        if self.discrete:
            return Categorical(F.log_softmax(out, -1))
        return Gaussian(out, self.log_std.expand_as(out))


class Critic(nn.Module):
    """Observations (..., D) -> the value of each state (...,)."""

    def __init__(self, observed: int, hidden: Sequence[int] = (64, 64)) -> None:
        super().__init__()
        self.net = MLP([observed, *hidden, 1], 1.0)

    def forward(self, observations: Tensor) -> Tensor:
        """Values (...,)."""
        out: Tensor = self.net(observations)
        return out[..., 0]


def adam(module: nn.Module | Sequence[nn.Parameter], rate: float) -> torch.optim.Adam:
    """Adam as policy optimization uses it (epsilon 1e-5), in one fused call."""
    parameters = module.parameters() if isinstance(module, nn.Module) else module
    return torch.optim.Adam(parameters, lr=rate, eps=1e-5, fused=True)


def as_one(parameters: Sequence[nn.Parameter]) -> tuple[nn.Parameter, Tensor]:
    """All parameters as one vector (P,) and its gradient (P,), of which each of them becomes a view of its part."""
    whole = nn.Parameter(torch.cat([p.detach().flatten() for p in parameters]))
    gradient = whole.grad = torch.zeros_like(whole)
    start = 0
    for p in parameters:
        part = slice(start, start := start + p.numel())
        p.data, p.grad = whole.detach()[part].view_as(p), gradient[part].view_as(p)
    return whole, gradient


def fit(critic: Critic, optimizer: torch.optim.Adam, x: Tensor, targets: Tensor, epochs: int, batch: int) -> float:
    """Regress the critic (B, D) -> (B,) on targets by squared error; returns the last epoch's mean loss."""
    total = 0.0
    for _ in range(epochs):
        total = 0.0
        order = torch.randperm(len(x))
        for rows in order.split(batch):  # type: ignore[no-untyped-call]
            loss = 0.5 * (critic(x[rows]) - targets[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(rows)
    return total / len(x)
