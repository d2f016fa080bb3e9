"""Quotations must stand in the notes, word for word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.kit.record import EDITIONS
from pipeline.checks.quotes import check, flat
from pipeline.checks.subject import make_subject
from pipeline.drafts import Draft, load_draft
from pipeline.evidence import gather_all
from pipeline.finding import Finding
from pipeline.project import Project, find_project
from tests.toy_project import the_post

Check = Callable[[str], list[Finding]]

# The toy notes say: "A bet on a coin is the smallest decision there is, and still it holds the whole subject".


@pytest.fixture
def quotes(project: Project) -> Check:
    evidence = the_post(project)

    def run(text: str) -> list[Finding]:
        draft = Draft("coin-post", "scientist", project.root / "x.md", text, {}, text, 1)
        return list(check(make_subject(project, evidence, draft, None)))

    return run


@pytest.mark.parametrize(
    "text",
    [
        'As I wrote, "a bet on a coin is the smallest decision there is".',
        "As I wrote, “A bet on a coin is the smallest decision there is.”",
        "As I wrote, «a bet on a *coin* is the smallest decision».",
        'A line break does not matter: "a bet on a coin\nis the smallest decision there is".',
        'Something may be left out: "a bet on a coin […] holds the whole subject".',
        "> A fair coin forgets.",
        "> A bet on a coin is the smallest decision there is,\n> and still it holds the whole subject\n>\n> — me",
        'Read "An Introduction to Probability Theory and Its Applications".',
        'A "fair coin" and an "honest bet" need no source.',
        "It's the coin's and the player's own choice, isn't it, that counts in the end.",
        'Plain words: "You still have to say yes or no."',
        "```\nprint('this is no quotation at all, really')\n```",
    ],
)
def test_quotations_from_the_notes_pass(quotes: Check, text: str) -> None:
    assert quotes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        'He said, "a coin is the largest decision there is".',
        "He said, “a coin will always remember you”.",
        "He said, ‘a coin will always remember you’.",
        'Joined: "a fair coin forgets […] a bet on a coin is the smallest".',  # the other order
        "> A fair coin remembers.",
        'In a list:\n\n- "God does not play dice with coins"',
        '| a | b |\n| --- | --- |\n| x | "words that nobody ever wrote" |',
    ],
)
def test_other_quotations_are_errors(quotes: Check, text: str) -> None:
    assert [(f.check, f.severity) for f in quotes(text)] == [("quote", "error")]


def test_a_changed_word_is_shown_beside_the_notes(quotes: Check) -> None:
    (found,) = quotes('Theory.\n\nI said "a bet on a coin is the smallest risk there is" and meant it.')
    assert (found.line, found.column) == (3, 8)
    assert 'they say "a bet on a coin is the smallest decision' in found.message
    assert found.sentence.startswith("I said") and "word for word" in found.fix


def test_flat_makes_typography_one() -> None:
    assert flat("“It’s”  a\n**bold** — move") == flat('"It\'s" a bold - move')


def test_the_real_drafts_quote_their_notes() -> None:
    project = find_project(Path(__file__).resolve().parents[2])
    for evidence in gather_all(project, "small")[0]:
        for edition in EDITIONS:
            draft = load_draft(project, evidence.post.slug, edition)
            if draft is not None:
                found = list(check(make_subject(project, evidence, draft, None)))
                assert found == [], [str(f) for f in found]
