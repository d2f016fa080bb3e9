"""Trains the observation check from `observations.tsv` and measures it: `python -m pipeline.checks.train_observations`.

The data file has a label (1: states something about a run, an experience or a source; 0: explains), a split, a topic
and a sentence on each line. `val` and `test` were written apart from `train`, in other sentence forms. The weights come
from `train`, the threshold from `val` (where 6 % of the explanations are flagged), and `test` is only ever measured.
The layers and the penalty were chosen by cross-validation within `train`; the curve with whole topics left out is kept
too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from experiments.kit.files import atomic_write
from pipeline.checks.observations import LAYERS, LEXICAL, MODEL, features

Array = NDArray[np.float64]

DATA = Path(__file__).with_name("observations.tsv")
PENALTY = 300.0
FALSE_FLAGS = (0.05, 0.10, 0.15, 0.20)
FOLDS = 6
ALLOWED = 0.06  # of val's honest sentences; unseen ones are flagged oftener, and a tenth is the most


@dataclass(frozen=True)
class Example:
    """One labelled sentence."""

    label: int
    split: str
    topic: str
    sentence: str


def read_examples(path: Path = DATA) -> list[Example]:
    """The data file. Raises ValueError naming the line of a malformed row."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], 2):
        cells = line.split("\t")
        if len(cells) != 4 or cells[0] not in ("0", "1") or cells[1] not in ("train", "val", "test"):
            raise ValueError(f"{path.name}:{number}: expected label (0 or 1), split, topic, sentence")
        found.append(Example(int(cells[0]), cells[1], cells[2], cells[3]))
    return found


def fit(X: Array, y: Array, penalty: float = PENALTY) -> tuple[Array, float]:
    """Weights and bias of an L2-penalised logistic regression; the features are standardised while fitting."""
    mean, spread = X.mean(0), X.std(0) + 1e-9
    Z, sign = (X - mean) / spread, 2 * y - 1

    def loss(w: Array) -> tuple[float, Array]:
        margin = sign * (Z @ w[:-1] + w[-1])
        push = -sign / (1 + np.exp(margin))
        value = np.logaddexp(0, -margin).sum() + penalty * (w[:-1] @ w[:-1]) / 2
        return float(value), np.append(Z.T @ push + penalty * w[:-1], push.sum())

    w = minimize(loss, np.zeros(X.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return w[:-1] / spread, float(w[-1] - w[:-1] @ (mean / spread))


def rates(scores: Array, y: Array, threshold: float) -> tuple[float, float]:
    """(recall, false-flag rate) at a threshold."""
    flagged = scores > threshold
    return float(flagged[y == 1].mean()), float(flagged[y == 0].mean())


def curve(scores: Array, y: Array) -> dict[str, float]:
    """The best recall at each allowed false-flag rate."""
    honest = np.sort(scores[y == 0])[::-1]
    return {
        f"{allowed:.2f}": round(float((scores[y == 1] > honest[int(allowed * len(honest))]).mean()), 4)
        for allowed in FALSE_FLAGS
    }


def choose_threshold(scores: Array, y: Array) -> float:
    """The middle of the thresholds that flag as many honest sentences as `ALLOWED` lets, and no more."""
    honest = np.sort(scores[y == 0])[::-1]
    flagged = int(ALLOWED * len(honest))
    above = honest[flagged - 1] if flagged else honest[0] + 1
    return float((above + honest[flagged]) / 2)


def train() -> dict[str, Any]:
    """The model and its measurements, as kept in `observation_model.json`."""
    examples = read_examples()
    X = np.array(features([example.sentence for example in examples]))
    y = np.array([float(example.label) for example in examples])
    part = {split: np.array([example.split == split for example in examples]) for split in ("train", "val", "test")}

    held_out = np.zeros(len(y))
    topics = sorted({example.topic for example in examples})
    for fold in range(FOLDS):
        away = part["train"] & np.array([example.topic in topics[fold::FOLDS] for example in examples])
        weights, bias = fit(X[part["train"] & ~away], y[part["train"] & ~away])
        held_out[away] = X[away] @ weights + bias

    weights, bias = fit(X[part["train"]], y[part["train"]])
    weights, bias = np.array([float(f"{w:.5g}") for w in weights]), round(bias, 5)
    scores = X @ weights + bias
    threshold = round(choose_threshold(scores[part["val"]], y[part["val"]]), 3)
    measured: dict[str, Any] = {
        "topics_left_out": {
            "sentences": int(part["train"].sum()),
            "recall_at": curve(*_pick(held_out, y, "train", part)),
        }
    }
    for split in ("val", "test"):
        recall, false = rates(*_pick(scores, y, split, part), threshold)
        measured[split] = {
            "sentences": int(part[split].sum()),
            "recall_at": curve(*_pick(scores, y, split, part)),
            "recall": round(recall, 4),
            "false_flags": round(false, 4),
        }
    return {
        "encoder": "all-MiniLM-L6-v2",
        "layers": LAYERS,
        "lexical": [*LEXICAL, "length"],
        "data_sha256": sha256(DATA.read_bytes()).hexdigest(),
        "penalty": PENALTY,
        "measured": measured,
        "threshold": threshold,
        "bias": bias,
        "weights": weights.tolist(),
    }


def _pick(scores: Array, y: Array, split: str, part: dict[str, NDArray[np.bool_]]) -> tuple[Array, Array]:
    return scores[part[split]], y[part[split]]


@click.command()
def main() -> None:
    """Train, write `observation_model.json`, and print what was measured."""
    model = train()
    rows = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in model.items()]
    atomic_write(MODEL, "{\n" + ",\n".join(rows) + "\n}\n")
    for name, held in model["measured"].items():
        at = ", ".join(f"{recall:.3f} at {float(false):.0%}" for false, recall in held["recall_at"].items())
        chosen = f"; chosen: {held['recall']:.3f} at {held['false_flags']:.1%}" if "recall" in held else ""
        click.echo(f"{name} ({held['sentences']} sentences): recall {at}{chosen}")


if __name__ == "__main__":
    main()
