"""Context overflow: evidence goes in the stated order, each cut is said, and what cannot fit stops with a message."""

from __future__ import annotations

import pytest

from experiments.kit.errors import CannotRun
from pipeline.project import Project
from pipeline.prompt import CUTS
from pipeline.writers.conversation import Call, ContextOverflow
from tests.toy_project import the_post
from tests.writers.driving import drive, scripted, writing_of
from tests.writers.test_stages import OUTLINE, SECTIONS


def too_long(limit: int, otherwise: dict[str, str | list[str]]) -> object:
    """Answers as scripted, but only prompts of up to `limit` characters fit."""
    answer = scripted(otherwise)

    def reply(call: Call) -> object:
        size = len(call.prompt.stable) + sum(len(m["content"]) for m in call.prompt.messages())
        return ContextOverflow("too long", tokens=size // 4, limit=limit // 4) if size > limit else answer(call)

    return reply


def test_evidence_goes_in_order_and_each_cut_is_said(project: Project) -> None:
    evidence = the_post(project)
    _, whole = drive(
        writing_of(project, evidence, "scientist", "anthropic"), scripted({"outline": OUTLINE, "sections": SECTIONS})
    )
    limit = len(whole[0].prompt.text) - 150
    lines: list[str] = []
    written, calls = drive(
        writing_of(project, evidence, "scientist", "anthropic", lines),
        too_long(limit, {"outline": OUTLINE, "sections": SECTIONS}),  # type: ignore[arg-type]
    )
    said = [line for line in written.notes if "left out:" in line]
    assert said and said == [line for line in lines if "left out:" in line]
    named = [next(n for n, (_, words) in enumerate(CUTS) if line.endswith(words)) for line in said]
    assert named == sorted(named)
    assert "tokens" in said[0] and "fit)" in said[0]
    assert len({call.prompt.stable for call in calls}) == 1, "what had to go stays away: the prefix stays one"


def test_what_cannot_fit_stops_with_what_was_tried(project: Project) -> None:
    with pytest.raises(CannotRun, match=r"outline does not fit .* even without .*the glossary.*\n  fix: take a model"):
        drive(
            writing_of(project, the_post(project), "scientist", "anthropic"),
            too_long(100, {"outline": OUTLINE}),  # type: ignore[arg-type]
        )


def test_the_local_writer_trims_one_section_and_not_the_next(project: Project) -> None:
    evidence = the_post(project)

    def reply(call: Call) -> object:
        if "section throws" in call.what and "def flip" in call.prompt.stable:
            return ContextOverflow("too long")
        return "A fair coin forgets." if "throws" in call.what else "A bet on a coin is the smallest decision there is."

    written, _ = drive(writing_of(project, evidence, "scientist", "local"), reply)  # type: ignore[arg-type]
    assert "left out: the code of the listings" in "\n".join(written.notes)
    assert "forgets" in written.body and "{listing}`toy/coin_study.py:flip`" in written.body
