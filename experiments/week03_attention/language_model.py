"""A small decoder-only transformer over characters, to find out what positions and heads are worth.

Pre-norm blocks (attention, then a GELU network four times as wide), as in GPT-2; every head's weights are formed
openly, so that they can be looked at, biased by a positional encoding, or switched off. All encodings of
`positions.py` are a choice of `Config.position`; the rest of the model and the order of its data are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.week03_attention.positions import alibi, rope, shaw_bias, sinusoidal
from experiments.week03_attention.scaled_dot_product import causal_mask, weights

Position = Literal["none", "sinusoidal", "learned", "shaw", "rope", "alibi"]
POSITIONS: tuple[Position, ...] = ("none", "sinusoidal", "learned", "shaw", "rope", "alibi")


@dataclass(frozen=True)
class Config:
    """`length` is the context trained on, `rows` the length of a learned table (rows beyond `length` stay untrained),
    `reach` the largest distance Shaw's table tells apart."""

    position: Position = "rope"
    vocabulary: int = 96
    layers: int = 2
    heads: int = 4
    width: int = 96
    length: int = 64
    rows: int = 1024
    reach: int = 32
    batch: int = 16
    steps: int = 800
    warmup: int = 50
    rate: float = 3e-3
    decay: float = 0.1


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.position, self.reach = config.heads, config.position, config.reach
        self.norm1, self.norm2 = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(config.width, 4 * config.width), nn.GELU(), nn.Linear(4 * config.width, config.width)
        )
        if config.position == "shaw":
            self.table = nn.Parameter(0.02 * torch.randn(2 * config.reach + 1, config.width // config.heads))

    def forward(self, x: Tensor, mask: Tensor, bias: Tensor | None, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, L, W), mask (L, L), bias (H, L, L), keep (H,) with 0 for a head switched off -> x and weights."""
        B, L, W = x.shape
        q, k, v = (y.view(B, L, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norm1(x)).chunk(3, -1))
        if self.position == "rope":
            at = torch.arange(L)
            q, k = rope(q, at), rope(k, at)
        if self.position == "shaw":
            bias = shaw_bias(q, self.table, self.reach)
        p = weights(q, k, mask, bias)  # (B, H, L, L)
        o = p @ v  # (B, H, L, W / H)
        if keep is not None:
            o = o * keep[:, None, None]
        x = x + self.out(o.transpose(1, 2).reshape(B, L, W))
        return x + self.mlp(self.norm2(x)), p


class LanguageModel(nn.Module):
    """Characters (B, L) -> logits of the next one (B, L, vocabulary)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocabulary, config.width)
        if config.position == "learned":
            self.places = nn.Embedding(config.rows, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.apply(_initial)
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "mlp.2.weight")):  # GPT-2: what is added to the stream starts smaller
                weight.data /= math.sqrt(2 * config.layers)

    def layers(self) -> list[Block]:
        """The blocks in order."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def forward(self, tokens: Tensor, keep: Tensor | None = None) -> Tensor:
        """Logits (B, L, vocabulary). `keep` (layers, H) switches heads off."""
        return self.look(tokens, keep)[0]

    def look(self, tokens: Tensor, keep: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """Logits and, a layer, the attention weights (B, H, L, L)."""
        config, L = self.config, tokens.shape[1]
        x = self.embed(tokens)
        if config.position == "sinusoidal":
            x = x + sinusoidal(L, config.width)
        if config.position == "learned":
            x = x + self.places(torch.arange(L))
        mask = causal_mask(L)
        bias = alibi(config.heads, L) if config.position == "alibi" else None
        seen = []
        for layer, block in enumerate(self.layers()):
            x, p = block(x, mask, bias, None if keep is None else keep[layer])
            seen.append(p)
        return self.head(self.norm(x)), seen


def _initial(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def encode(text: str) -> tuple[Tensor, Sequence[str]]:
    """A text as indices into the sorted list of its characters, and that list."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    used = np.flatnonzero(np.bincount(points))
    index = np.zeros(int(used[-1]) + 1, dtype=np.int64)
    index[used] = np.arange(len(used))
    return torch.from_numpy(index[points]), [chr(point) for point in used]


def train(
    config: Config, data: Tensor, seed: int, log: Callable[[int, float], None] = lambda step, loss: None
) -> LanguageModel:
    """Train on random windows of `data`, with AdamW, linear warm-up and a cosine to a tenth of the rate.

    `seed` fixes the first weights and the windows, apart from each other: models that differ in their encoding
    see the same windows. `log(step, loss)` gets the training loss in bits a character now and then.
    """
    torch.manual_seed(seed)
    model = LanguageModel(config)
    rng = torch.Generator().manual_seed(seed + 1)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": config.decay},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.95))
    for step in range(config.steps):
        share = max(0.0, (step - config.warmup) / max(1, config.steps - config.warmup))
        rate = min((step + 1) / config.warmup, 0.1 + 0.9 * (1 + math.cos(math.pi * share)) / 2)
        for group in optimiser.param_groups:
            group["lr"] = config.rate * rate
        at = torch.randint(len(data) - config.length, (config.batch,), generator=rng)
        window = data[at[:, None] + torch.arange(config.length + 1)]
        loss = F.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 50 == 0 or step == config.steps - 1:
            log(step, float(loss.detach()) / math.log(2))
    return model


@torch.no_grad()
def bits(
    model: LanguageModel, data: Tensor, ends: Tensor, length: int, scored: int, keep: Tensor | None = None
) -> Tensor:
    """Bits a character for the last `scored` of `length` predictions before each position in `ends` (N,): (N, scored).

    The targets are the same whatever the length, so that lengths differ only in how much context they give. Raises
    ValueError where a window would begin before the data.
    """
    if int(ends.min()) < length:
        raise ValueError(f"a window of {length} does not fit before position {int(ends.min())}")
    model.eval()
    found = []
    for some in torch.split(ends, max(1, 16384 // length)):
        window = data[some[:, None] - length + torch.arange(length + 1)]
        logits = model(window[:, :-1], keep)[:, -scored:]
        nats = F.cross_entropy(logits.flatten(0, 1), window[:, -scored:].flatten(), reduction="none")
        found.append(nats.view(len(some), scored) / math.log(2))
    return torch.cat(found)
