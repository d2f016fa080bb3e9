"""Markup a draft must not carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.checks.markup import check
from pipeline.checks.subject import make_subject
from pipeline.drafts import load_draft
from pipeline.project import Project
from tests.toy_project import the_post


def found(project: Project, text: str) -> list[str]:
    draft = load_draft(project, "coin-post", "scientist")
    assert draft is not None
    subject = make_subject(project, the_post(project), replace(draft, body=text), None)
    return [finding.check for finding in check(subject)]


@pytest.mark.parametrize(
    ("text", "check_id"),
    [
        ("[Click](javascript:alert(1)) me.", "unsafe-link"),
        ("[Click]( JaVaScript:alert(1)) me.", "unsafe-link"),
        ("[Click](<javascript:alert(1)>) me.", "unsafe-link"),
        ("[Click](&#106;avascript:alert(1)) me.", "unsafe-link"),
        ("[Click](java&#10;script:alert(1)) me.", "unsafe-link"),
        ("[Click][x]\n\n[x]: javascript:alert(1)", "unsafe-link"),
        ("[Click](data:text/html,x)", "unsafe-link"),
        ("<b>x</b>", "raw-html"),
        ("[[week-01]]", "vault-link"),
    ],
)
def test_what_must_not_stand_in_a_draft(drafted: Project, text: str, check_id: str) -> None:
    assert set(found(drafted, text)) == {check_id}


@pytest.mark.parametrize(
    "text",
    ["[A page](https://example.org/) and [an anchor](#throws).", "`[x](javascript:y)`", "A [note]: data: all of it."],
)
def test_what_may(drafted: Project, text: str) -> None:
    assert found(drafted, text) == []
