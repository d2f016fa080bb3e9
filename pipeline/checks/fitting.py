"""Values that may not be what their sentence speaks about, and claims whose words only a person can hold against them.

A value outside a claim can carry a valid key and the wrong meaning. Here the sentence (and the one before it) is held
against the description of every fact of the post: by sentence embeddings, and by the words they share, rare ones
counting more. Where another fact fits better by more than `MARGIN`, a person is asked. It is a question, never an
error: `docs/detection.md` has how often it is right.

A claim that a draft asks for has no words of a study to be compared with, so each is put to the person once.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.kit.files import atomic_write, hash_value
from experiments.kit.record import Fact
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.render import key_and_rest

MARGIN = 0.26
WORDS = 1.0  # weight of shared words beside the embeddings' cosine
STOP = frozenset("the and for with from that this its one value number every each of".split())


@dataclass(frozen=True)
class Fit:
    """How much better than a value's own description another one fits its sentence, and whose that is."""

    margin: float
    nearest: str


def check(subject: Subject) -> Iterator[Finding]:
    """Values outside claims that another fact would fit better; claims asked for, with what they evaluate to."""
    facts = {key: fact for key, fact in subject.evidence.results.facts.items() if "/" not in key}
    named = list(uses(subject, facts))
    measured = measure_fits(subject, [(context, key) for _, context, key in named], facts)
    for (offset, _, key), fit in zip(named, measured, strict=False):
        if fit.margin > MARGIN:
            message = f"{key} is {facts[key].description!r}; the sentence reads more like {fit.nearest}: "
            message += f"{facts[fit.nearest].description!r}"
            fix = f"name the value you mean, such as {{val}}`{fit.nearest}`, or confirm that this is it"
            yield subject.find("value-fit", "review", offset, message, fix, key)
    for span in subject.document.spans:
        if span.kind == "role" and span.data["name"] == "claim":
            key = key_and_rest(span.data["content"])[0]
            if key in subject.asked.claims:
                message = f"this draft asks for {key}; it holds as {subject.asked.claims[key].detail}"
                fix = "read the words against it, and confirm that they say no more"
                yield subject.find("asked-claim", "review", span.start, message, fix, key)


def uses(subject: Subject, facts: Mapping[str, Fact]) -> Iterator[tuple[int, str, str]]:
    """(offset, context, key) of every value outside a claim."""
    before, block = "", -1
    for sentence in subject.sentences:
        before = before if sentence.block.index == block else ""
        for span in sentence.spans:
            if span.kind == "role" and span.data["name"] == "val":
                key = key_and_rest(span.data["content"])[0]
                if key in facts:
                    yield span.start, plain(f"{before} {sentence.text}"), key
        before, block = sentence.text, sentence.block.index


def plain(text: str) -> str:
    """Text without roles: claims by their words, values as "a value"."""
    text = re.sub(r"\{claim\}(`+)[^|`]*\|(.*?)\1(?!`)", r"\2", text)
    return " ".join(re.sub(r"\{(\w+)\}`+[^`]*`+", lambda m: "a value" if m[1] == "val" else "", text).split())


def measure_fits(subject: Subject, asked: Sequence[tuple[str, str]], facts: Mapping[str, Fact]) -> list[Fit]:
    """The fit of each (context, key), kept in scratch; nothing without the encoder (`observations` says so)."""
    described = {key: f"{fact.description}, in {fact.unit}" for key, fact in facts.items()}
    mark = hash_value([described, WORDS])[:16]
    path = subject.project.scratch / "fits.json"
    kept: dict[str, list[float | str]] = {}
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        kept = {str(k): [float(v[0]), str(v[1])] for k, v in held.items() if v[1] in facts}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        pass
    names = [hash_value([mark, context, key])[:24] for context, key in asked]
    fresh = [pair for name, pair in zip(names, asked, strict=True) if name not in kept]
    if fresh:
        try:
            measured = fits(fresh, described, subject.project.scratch / f"descriptions-{mark}.npy")
        except LookupError:
            return []
        for (context, key), fit in zip(fresh, measured, strict=True):
            kept[hash_value([mark, context, key])[:24]] = [round(fit.margin, 4), fit.nearest]
        atomic_write(path, json.dumps(kept))
    return [Fit(float(kept[name][0]), str(kept[name][1])) for name in names]


def fits(asked: Sequence[tuple[str, str]], described: Mapping[str, str], kept: Path | None = None) -> list[Fit]:
    """The fits, computed; `kept` holds the descriptions' vectors. Raises LookupError without the encoder."""
    import numpy as np

    from pipeline.checks.embedding import encoder, model_folder  # slow to import

    folder = model_folder()
    if folder is None:
        raise LookupError
    model = encoder(folder)
    if kept is not None and kept.is_file():
        vectors = np.load(kept)
    else:
        vectors = model.embed(list(described.values()))
        if kept is not None:
            raw = io.BytesIO()
            np.save(raw, vectors)
            atomic_write(kept, raw.getvalue())
    contexts = list(dict.fromkeys(context for context, _ in asked))
    cosines = dict(zip(contexts, model.embed(contexts) @ vectors.T, strict=True))
    keys = list(described)
    tokens = [_tokens(f"{described[key]} {re.sub(r'[._]', ' ', key)}") for key in keys]
    rare = {word: math.log(len(keys) / sum(word in t for t in tokens)) for word in set().union(*tokens)}
    found = []
    for context, key in asked:
        said = _tokens(context)
        scores = [float(c) + WORDS * _shared(t, said, rare) for c, t in zip(cosines[context], tokens, strict=True)]
        best = max(range(len(keys)), key=scores.__getitem__)
        found.append(Fit(scores[best] - scores[keys.index(key)], keys[best]))
    return found


def _tokens(text: str) -> frozenset[str]:
    """Word stems and grid sizes."""
    found = re.findall(r"[a-z]{3,}|\d+×\d+", text.lower())
    return frozenset(re.sub(r"(?:ings?|ed|es|s|e)$", "", word) for word in found if word not in STOP)


def _shared(a: frozenset[str], b: frozenset[str], rare: Mapping[str, float]) -> float:
    """The cosine of two sets of words weighted by rarity."""
    own = math.sqrt(sum(rare[word] ** 2 for word in a))
    other = math.sqrt(1 + sum(rare.get(word, 0.0) ** 2 for word in b))
    return sum(rare[word] ** 2 for word in a & b) / (own * other) if own else 0.0
