"""Byte-pair encoding against its peers: `python -m bench.tokenizers`.

Everything runs in one process on one thread, solvers in turn, best of `--repeats` after a warm-up:

- training: vocabulary 4,096 on Shakespeare's 37 plays (4.85 MB), GPT-2's word pattern, fed line by line, against
  Hugging Face's `BpeTrainer` on the same lines; the merges must be identical, one by one;
- training: vocabulary 512 on the first 100 KB, against minbpe's `RegexTokenizer` (once: it takes long). minbpe is in
  no registry; give a checkout of it with `--minbpe PATH`, or the comparison is left out and said so;
- encoding: Hamlet twenty times over with GPT-2's vocabulary, against Hugging Face's `encode_batch` of lines and
  tiktoken's `encode_ordinary`; all ids must be identical. Ours is timed with nothing remembered ("cold", what the bars
  judge) and after a first pass ("warm").

Exit code 0: all bars met, 1: a bar missed or ids that differ, 2: a peer is not installed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from experiments.kit import data
from experiments.week02_tokens import bpe
from experiments.week02_tokens.pretokens import ALPHABET, PATTERNS, lines, to_bytes, visible

T = TypeVar("T")
INSTALL = {"tokenizers": "tokenizers==0.23.3", "tiktoken": "tiktoken==0.14.0"}
ONE_THREAD = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
VOCABULARY, SMALL_VOCABULARY, SMALL_BYTES, COPIES = 4096, 512, 100_000, 20
GPT2 = PATTERNS["gpt2"].pattern


@dataclass(frozen=True)
class Row:
    """One program at one task: its best seconds, and its speed in megabytes of text a second."""

    task: str
    program: str
    seconds: float
    speed: float


@dataclass(frozen=True)
class Bar:
    """A ratio that must hold, `at_least` or at most `bound`, and whether results were `same`."""

    what: str
    ratio: float
    bound: float
    at_least: bool
    same: bool

    @property
    def met(self) -> bool:
        return self.same and (self.ratio >= self.bound if self.at_least else self.ratio <= self.bound)


def best(runs: dict[str, Callable[[], Any]], repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Best seconds and last answer of each, taking turns, after a warm-up of each."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    answers: dict[str, Any] = {}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            answers[name] = run()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: min(times) for name, times in seconds.items()}, answers


def train_peer(fed: list[str]) -> list[tuple[bytes, bytes]]:
    """Hugging Face's merges as pairs of bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = byte_level
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=byte_level.alphabet(), special_tokens=[], show_progress=False
    )
    tokenizer.train_from_iterator(fed, trainer)
    of = {visible(bytes([b])): bytes([b]) for b in ALPHABET}
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(b"".join(of[c] for c in left), b"".join(of[c] for c in right)) for left, right in merges]


def spelt(model: bpe.BPE) -> list[tuple[bytes, bytes]]:
    """Our merges as pairs of bytes."""
    return [(model.tokens[a], model.tokens[b]) for a, b in model.merges]


def training(repeats: int) -> tuple[list[Row], list[Bar]]:
    """Against Hugging Face's trainer."""
    fed = lines(data.plays().values())
    size = sum(map(len, map(to_bytes, fed))) / 1e6
    seconds, answers = best(
        {"ours": lambda: bpe.train(fed, bpe.Config(VOCABULARY)), "tokenizers": lambda: train_peer(fed)}, repeats
    )
    same = spelt(answers["ours"]) == answers["tokenizers"]
    task = f"train {VOCABULARY}"
    rows = [Row(task, name, s, size / s) for name, s in seconds.items()]
    return rows, [Bar(f"{task}: our time over tokenizers'", seconds["ours"] / seconds["tokenizers"], 3.0, False, same)]


def training_small(repeats: int, minbpe: Path) -> tuple[list[Row], list[Bar]]:
    """Against minbpe, whose ties go to the pair seen first: the merges agree until a tie, the counts always."""
    sys.path.insert(0, str(minbpe))
    from minbpe.regex import RegexTokenizer

    text = "".join(data.plays().values())[:SMALL_BYTES]
    peer = RegexTokenizer(GPT2)
    start = time.perf_counter()
    peer.train(text, SMALL_VOCABULARY)
    theirs = time.perf_counter() - start
    seconds, answers = best({"ours": lambda: bpe.train([text], bpe.Config(SMALL_VOCABULARY))}, repeats)
    ours = bpe.encoder(answers["ours"])(text)
    same = abs(len(ours) / len(peer.encode_ordinary(text)) - 1) < 0.002
    task = f"train {SMALL_VOCABULARY}"
    size = SMALL_BYTES / 1e6
    rows = [Row(task, "ours", seconds["ours"], size / seconds["ours"]), Row(task, "minbpe", theirs, size / theirs)]
    return rows, [Bar(f"{task}: minbpe's time over ours", theirs / seconds["ours"], 80.0, True, same)]


def encoding(repeats: int) -> tuple[list[Row], list[Bar]]:
    """Against Hugging Face and tiktoken, with GPT-2's vocabulary."""
    import tiktoken
    from tokenizers import Tokenizer, models, pre_tokenizers

    names, merges = data.gpt2_vocabulary()
    model = bpe.from_gpt2(names, merges)
    text = data.plays()["hamlet"] * COPIES
    size = len(to_bytes(text)) / 1e6
    fed = text.splitlines(keepends=True)
    pairs = [tuple(line.split(" ")) for line in merges.splitlines() if line and not line.startswith("#version")]
    face = Tokenizer(models.BPE(vocab=dict(names), merges=pairs))
    face.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ranks = {token: i for i, token in enumerate(model.tokens)}
    tik = tiktoken.Encoding("gpt2-from-files", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
    warm = bpe.encoder(model)
    merger = bpe.merger(model)  # the vocabulary's index, built once, as the peers build theirs
    seconds, answers = best(
        {
            "ours, cold": lambda: bpe.encoder(model, merger)(text),
            "ours, warm": lambda: warm(text),
            "ours, warm, lines": lambda: [warm(line) for line in fed],
            "tokenizers": lambda: face.encode_batch(fed),
            "tiktoken": lambda: tik.encode_ordinary(text),
        },
        repeats,
    )
    by_line = answers["ours, warm, lines"] == [each.ids for each in answers["tokenizers"]]
    whole = answers["ours, cold"] == answers["ours, warm"] == answers["tiktoken"]
    task = "encode"
    rows = [Row(task, name, s, size / s) for name, s in seconds.items()]
    cold = seconds["ours, cold"]
    return rows, [
        Bar("encode: tokenizers' time over ours", seconds["tokenizers"] / cold, 2.5, True, by_line),
        Bar("encode: tiktoken's time over ours", seconds["tiktoken"] / cold, 0.4, True, whole),
    ]


def missing_peers() -> list[str]:
    """The peers that cannot be imported."""
    missing = []
    for name in INSTALL:
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    return missing


@click.command(help=__doc__)
@click.option("--repeats", default=5, show_default=True, help="Timed runs of each program, after one that is not.")
@click.option("--minbpe", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A checkout of minbpe.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(repeats: int, minbpe: Path | None, as_json: bool) -> None:
    os.environ.update(ONE_THREAD)  # read when a peer is first imported
    if missing := missing_peers():
        for name in missing:
            click.echo(f"{name} is not installed: pip install {INSTALL[name]}", err=True)
        sys.exit(2)
    parts = [training(repeats), encoding(repeats)]
    if minbpe is not None:
        parts.insert(1, training_small(repeats, minbpe))
    rows = [row for part, _ in parts for row in part]
    checks = [bar for _, part in parts for bar in part]
    passed = all(bar.met for bar in checks)
    if as_json:
        report = {"rows": [asdict(r) for r in rows], "bars": [{**asdict(b), "met": b.met} for b in checks]}
        click.echo(json.dumps({**report, "passed": passed, "repeats": repeats}, indent=1))
    else:
        click.echo(f"{'task':<14}{'program':<20}{'seconds':>10}{'MB/s':>9}")
        for row in rows:
            click.echo(f"{row.task:<14}{row.program:<20}{row.seconds:>10.3f}{row.speed:>9.2f}")
        click.echo()
        for bar in checks:
            verdict = "ok" if bar.met else "MISSED" if bar.same else "RESULTS DIFFER"
            side = "at least" if bar.at_least else "at most"
            click.echo(f"{bar.what:<42}{bar.ratio:>8.2f}x  (bar {side} {bar.bound:g}x, {verdict})")
        if minbpe is None:
            click.echo("minbpe: left out, no --minbpe PATH given")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
