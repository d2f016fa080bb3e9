"""Glossary terms of the Manager edition are explained where they first stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checks.glossary import ORDINARY, check, explained
from pipeline.checks.subject import make_subject
from pipeline.drafts import Draft, load_draft
from pipeline.evidence import gather_all
from pipeline.finding import Finding
from pipeline.project import Project, find_project
from tests.toy_project import the_post

GLOSSARY: Mapping[str, str] = {
    "Policy": "a rule that says what to do in every state.",
    "Markov property": "once the present state is known, the past adds nothing to the forecast.",
    "Contraction": "an update that brings any two guesses closer together, so that repeating it must settle.",
    "Return": "the discounted sum of all rewards from now on.",
}
Check = Callable[[str], list[Finding]]


@pytest.fixture
def terms(project: Project) -> Check:
    evidence = replace(the_post(project), glossary=GLOSSARY)

    def run(text: str, edition: str = "manager") -> list[Finding]:
        draft = Draft("coin-post", edition, project.root / "x.md", text, {}, text, 1)  # type: ignore[arg-type]
        return list(check(make_subject(project, evidence, draft, None)))

    return run


@pytest.mark.parametrize(
    "text",
    [
        "It learns a policy: a rule for any case.",
        "It learns a policy, that is, what to do next.",
        "Engineers call such a rule a *policy*.",
        "A policy is an answer for each case.",
        "It has a rule that says what to do in each case. Later the policy changes.",
        "Once you know the present, the past adds nothing to a forecast.\n\nThat is the Markov property at work.",
        "The guesses come closer together with every update. They settle.\n\nThe contraction sees to that.",
        "You will see a return on the money.",  # everybody's word
        "Nothing here is a term.",
    ],
)
def test_explained_terms_pass(terms: Check, text: str) -> None:
    assert terms(text) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("The policy changed overnight.", "Policy"),
        ("Policies matter here.", "Policy"),
        ("The Markov property helps.", "Markov property"),
        ("We use a contraction here.", "Contraction"),
        ("The *return* matters most.", "Return"),
        ("The policy changed.\n\nA policy is a rule that says what to do in every state.", "Policy"),  # too late
    ],
)
def test_unexplained_terms_are_errors(terms: Check, text: str, term: str) -> None:
    (found,) = terms(text)
    assert (found.check, found.severity, found.key, found.line) == ("unexplained-term", "error", term, 1)
    assert found.fix == f"say it in passing: {GLOSSARY[term].split(',')[0].rstrip('.')}" and found.sentence


def test_the_scientist_edition_needs_no_explanation(terms: Check) -> None:
    assert terms("The policy changed overnight.", "scientist") == []


def test_words_inside_claims_count_as_uses(terms: Check) -> None:
    assert [f.key for f in terms("{claim}`coin.more|The contraction wins.`")] == ["Contraction"]


def test_key_words_must_be_several() -> None:
    assert not explained("Policy", GLOSSARY["Policy"], "The policy changed.", "A golden rule. The policy changed.")
    assert "policy" not in ORDINARY and "return" in ORDINARY


def test_the_real_manager_editions_explain_what_they_use() -> None:
    project = find_project(Path(__file__).resolve().parents[2])
    for evidence in gather_all(project, "small")[0]:
        draft = load_draft(project, evidence.post.slug, "manager")
        if draft is not None:
            assert evidence.glossary
            assert [str(f) for f in check(make_subject(project, evidence, draft, None))] == []
