"""A language model small enough to train in seconds, to see what a tokenizer does to the bits a text costs.

A recurrent network predicts the next token: embedding, one layer of gated recurrent units (Cho et al. 2014), and the
embedding used again for the output (Press and Wolf 2017). At this size and this little training it learns faster than
a transformer would. What a text costs is measured in bits per byte, which is comparable whatever the tokens: the sum
of -log2 p over the tokens of a text, divided by its bytes. Loss per token is not: a tokenizer with larger tokens has
fewer and harder guesses to make.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Config:
    """Shape of the model and of its training: `batch` windows of `context` tokens in each of `steps` steps.

    The learning rate rises over the first tenth of the steps and then falls along a cosine to a tenth.
    """

    vocabulary: int
    width: int = 64
    hidden: int = 128
    context: int = 32
    batch: int = 16
    steps: int = 500
    rate: float = 1e-2


class LanguageModel(nn.Module):
    """Token ids (B, T) to logits (B, T, vocabulary) for the token that follows each."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.token = nn.Embedding(config.vocabulary, config.width)
        self.memory = nn.GRU(config.width, config.hidden, batch_first=True)
        self.out = nn.Linear(config.hidden, config.width)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        nn.init.normal_(self.token.weight, std=0.1)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.memory(self.token(ids))
        return F.linear(self.out(states), self.token.weight, self.bias)


def parameters(config: Config) -> tuple[int, int]:
    """Numbers of weights: in the body, and in what grows with the vocabulary (table of tokens and output bias)."""
    model = LanguageModel(config)
    table = model.token.weight.numel() + model.bias.numel()
    return sum(p.numel() for p in model.parameters()) - table, table


def rate_at(step: int, config: Config) -> float:
    """The learning rate of a step, counted from 0."""
    warm = max(1, config.steps // 10)
    if step < warm:
        return config.rate * (step + 1) / warm
    way = (step - warm) / max(1, config.steps - warm)
    return config.rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * way)))


def train(ids: Ids, config: Config, seed: int, log: Callable[[int, float], None] | None = None) -> LanguageModel:
    """Train on windows drawn at random from the ids. `log(steps done, bits per token of the batch)` sees every step."""
    torch.manual_seed(seed)
    model = LanguageModel(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=0.01)
    text = torch.from_numpy(ids)
    rng = np.random.default_rng(seed)
    offsets = torch.arange(config.context + 1)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, config)
        starts = torch.from_numpy(rng.integers(0, len(ids) - config.context, size=config.batch))
        windows = text[starts[:, None] + offsets]  # (B, T + 1)
        logits = model(windows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if log is not None:
            log(step + 1, loss.item() / math.log(2))
    return model


@torch.no_grad()
def total_bits(model: LanguageModel, ids: Ids, context: int, batch: int = 32) -> float:
    """Bits of all the ids but the first, each guessed from at least half a context of ids before it, where there are.

    Windows overlap by half, and only the later half of each counts (the first window counts whole).
    """
    half = context // 2
    text = torch.from_numpy(ids)
    nats = 0.0
    starts = list(range(0, max(1, len(ids) - 1 - half), half))
    for i in range(0, len(starts), batch):
        for start, window in _windows(text, starts[i : i + batch], context):
            logits = model(window[:, :-1])
            loss = F.cross_entropy(logits.transpose(1, 2), window[:, 1:], reduction="none")  # (B, T)
            skipped = torch.where(start == 0, 0, half)[:, None]
            counted = torch.arange(loss.shape[1])[None, :] >= skipped
            nats += float((loss.double() * counted).sum())
    return nats / math.log(2)


def _windows(text: Tensor, starts: Sequence[int], context: int) -> list[tuple[Tensor, Tensor]]:
    """Windows of context + 1 ids at the starts, those cut short by the end apart from the rest."""
    whole = [s for s in starts if s + context + 1 <= len(text)]
    short = [s for s in starts if s + context + 1 > len(text)]
    groups = []
    if whole:
        at = torch.tensor(whole)
        groups.append((at, text[at[:, None] + torch.arange(context + 1)]))
    groups += [(torch.tensor([s]), text[None, s:]) for s in short]
    return groups
