"""Sentences that no check was written or trained on: how many results are caught or queued, how many others flagged.

`unseen.tsv`: set, label (1: states a result, an experience or what a source says; 0: explains), edition, topic and
sentence. Set 1 was written and measured before the training set was enlarged for present-tense results, set 2 before
that enlargement was trained, set 3 after it. Sets 4 and 5 were written before the training set was doubled, set 6
before the doubled one was measured; all three were looked at when the threshold's rule was set again. None may be
used to train.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from experiments.kit.record import Edition
from pipeline.checks import CHECKS, QUEUE, freshness
from pipeline.checks.subject import Subject, make_subject

FILE = Path(__file__).with_name("unseen.tsv")
# What a whole page must have and a lone sentence has not.
OF_A_PAGE = {"lead", "length", "reading-grade", "unexplained-term"}


@dataclass(frozen=True)
class Sentence:
    """One unseen sentence."""

    group: str
    states: bool
    edition: Edition
    text: str


def read() -> list[Sentence]:
    """All unseen sentences."""
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()[1:]]
    return [Sentence(r[0], r[1] == "1", "manager" if r[2] == "manager" else "scientist", r[4]) for r in rows]


def noticed(subject: Subject, sentence: Sentence) -> bool:
    """Whether any check reports or queues the sentence, standing alone in a draft of the subject's post."""
    body = f"\n## Heading {{#heading}}\n\n{sentence.text}\n"
    text = f"---\ntitle: x\n---\n{body}"
    front = {"title": subject.evidence.post.title}
    draft = replace(subject.draft, edition=sentence.edition, text=text, front=front, body=body, body_line=4)
    alone = make_subject(subject.project, subject.evidence, draft, None)
    checks = [check for check in (*CHECKS, *QUEUE) if check is not freshness.check]
    return any(finding.check not in OF_A_PAGE for check in checks for finding in check(alone))


def rates(subject: Subject) -> dict[tuple[str, bool], tuple[int, int]]:
    """(noticed, all) by set and label."""
    counts: dict[tuple[str, bool], tuple[int, int]] = {}
    for sentence in read():
        seen, total = counts.get((sentence.group, sentence.states), (0, 0))
        counts[sentence.group, sentence.states] = (seen + noticed(subject, sentence), total + 1)
    return counts
