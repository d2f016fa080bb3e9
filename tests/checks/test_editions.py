"""The rules of the two editions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.kit.record import Edition
from pipeline.checks.editions import OPENING, check
from pipeline.checks.subject import make_subject
from pipeline.drafts import load_draft
from pipeline.finding import Finding
from pipeline.project import Project
from tests.toy_project import the_post


def found(project: Project, edition: Edition, body: str, other: str | None = None) -> list[Finding]:
    """Findings on a body; `other` is the body of the other edition."""
    drafts = {name: load_draft(project, "coin-post", name) for name in ("scientist", "manager")}
    mine, theirs = drafts[edition], drafts["manager" if edition == "scientist" else "scientist"]
    assert mine is not None and theirs is not None
    beside = replace(theirs, body=other) if other is not None else None
    subject = make_subject(project, the_post(project), replace(mine, body=body), beside)
    return list(check(subject))


def kinds(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.check, finding.severity) for finding in findings}


LEAD = "word " * OPENING + "\n\n"


def test_an_edition_longer_than_asked_is_an_error_and_a_thin_one_a_warning(drafted: Project) -> None:
    a_minute = "word " * drafted.settings.words_per_minute
    fits, long = LEAD + a_minute * 13, LEAD + a_minute * 15
    assert kinds(found(drafted, "scientist", fits)) == set()
    (too_long,) = found(drafted, "scientist", long)
    assert (too_long.check, too_long.severity, too_long.fix) == ("length", "error", "shorten it")
    assert "15.2 minutes" in too_long.message and "12 to 15" in too_long.message
    assert kinds(found(drafted, "scientist", LEAD)) == {("length", "warning")}
    assert kinds(found(drafted, "manager", LEAD + a_minute * 6)) == {("length", "error")}


def test_a_page_opens_with_a_lead(drafted: Project) -> None:
    assert ("lead", "warning") in kinds(found(drafted, "scientist", "Few words.\n\n## A {#a}\n\ntext\n"))


@pytest.mark.parametrize(
    "text", ["`code`", "$x^2$", "$$\nx\n$$", "```python\nx\n```", "{listing}`toy/coin_study.py:flip`"]
)
def test_the_manager_edition_shows_no_formula_and_no_code(drafted: Project, text: str) -> None:
    assert ("manager-plain", "error") in kinds(found(drafted, "manager", f"{LEAD}{text}\n"))
    assert "manager-plain" not in {check for check, _ in kinds(found(drafted, "scientist", f"{LEAD}{text}\n"))}


def test_both_editions_have_the_same_sections(drafted: Project) -> None:
    mine, other = LEAD + "## A {#a}\n\n## B {#b}\n", LEAD + "## A {#a}\n"
    (finding,) = [f for f in found(drafted, "manager", mine, other) if f.severity == "error"]
    assert (finding.check, finding.key) == ("heading-id", "b") and "#b" in finding.message
    assert kinds(found(drafted, "manager", LEAD + "## A\n", other)) >= {("heading-id", "error")}
    assert kinds(found(drafted, "manager", LEAD + "# A\n")) >= {("heading", "error")}


def test_a_claim_for_managers_needs_its_basis_in_the_scientist_edition(drafted: Project) -> None:
    claim = LEAD + "{claim}`coin.more|The long series has more heads.`\n"
    (finding,) = [f for f in found(drafted, "manager", claim, LEAD) if f.severity == "error"]
    assert (finding.check, finding.key) == ("claim-without-basis", "coin.more")
    assert [f for f in found(drafted, "manager", claim, claim) if f.severity == "error"] == []
    assert [f for f in found(drafted, "scientist", claim, LEAD) if f.severity == "error"] == []
