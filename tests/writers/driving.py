"""Driving a writing by hand: each call is answered by a function, nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.drafting import Task, begin
from pipeline.drafts import Written
from pipeline.evidence import Evidence
from pipeline.project import Project
from pipeline.writers.conversation import Answer, Call, ContextOverflow, Writing

Reply = Callable[[Call], str | Answer | ContextOverflow]


def drive(writing: Writing, reply: Reply) -> tuple[Written, list[Call]]:
    """What a writing returns when `reply` answers its calls, and the calls that were answered."""
    asked: list[Call] = []
    try:
        call = next(writing)
        while True:
            said = reply(call)
            if isinstance(said, ContextOverflow):
                call = writing.throw(said)
                continue
            asked.append(call)
            call = writing.send(said if isinstance(said, Answer) else Answer(said, "end_turn", "test", 1))
    except StopIteration as end:
        return end.value, asked


def scripted(answers: Mapping[str, str | list[str]]) -> Reply:
    """Answers by a word in the call's name; of a list, one after the other, the last for good."""
    left: dict[str, Any] = {word: list(given) if isinstance(given, list) else given for word, given in answers.items()}

    def reply(call: Call) -> str:
        word = next(word for word in left if word in call.what)
        given = left[word]
        if isinstance(given, str):
            return given
        return str(given.pop(0) if len(given) > 1 else given[0])

    return reply


def writing_of(
    project: Project, evidence: Evidence, edition: Any, writer: str, lines: list[str] | None = None, done: Any = None
) -> Writing:
    """A writing with the real checks behind it; what it reports goes to `lines`."""
    report = (lines if lines is not None else []).append
    return begin(project, Task(evidence, edition, "test"), writer, report, done if done is not None else {})
