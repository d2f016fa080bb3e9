"""The offline writer leaves out what the checks would not pass, and says so; its drafts pass all of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.kit.record import EDITIONS, Edition
from pipeline.checks import check_draft
from pipeline.drafting import Task, _as_draft, begin, run
from pipeline.drafts import Written
from pipeline.evidence import Evidence, gather_all
from pipeline.finding import Finding
from pipeline.project import Project, find_project
from pipeline.writers.left_out import fitted, parts_of
from pipeline.writers.purse import Purse
from tests.toy_project import the_post

ROOT = Path(__file__).resolve().parents[2]


def with_notes(evidence: Evidence, edition: Edition, *texts: str) -> Evidence:
    """The evidence with other notes: one text a section, the last for what is left."""
    name = "scientist" if edition == "scientist" else "plain"
    materials = []
    for number, material in enumerate(evidence.materials):
        text = texts[min(number, len(texts) - 1)]
        excerpts = tuple(replace(excerpt, **{name: text}) for excerpt in material.excerpts)  # type: ignore[arg-type]
        materials.append(replace(material, excerpts=excerpts))
    return replace(evidence, materials=tuple(materials))


def drafted_with(project: Project, evidence: Evidence, edition: Edition, said: list[str]) -> Written:
    return run(
        project,
        task := Task(evidence, edition, "no draft yet"),
        begin(project, task, "offline", said.append, {}),
        None,
        Purse(None),
        said.append,
    )


LEAD = "A bet on a coin is a choice whose end nobody knows, and that is all there is to it. " * 4


def test_a_sentence_with_a_finding_is_left_out_and_named(project: Project) -> None:
    notes = (
        "A coin forgets. It fell on heads 73 times out of a hundred. Nothing *follows* from that.\n\n"
        "As Feller (1968) says, it does.\n\nWhat settles is the share."
    )
    said: list[str] = []
    evidence = with_notes(the_post(project), "scientist", LEAD, notes)
    written = drafted_with(project, evidence, "scientist", said)
    assert "A coin forgets. Nothing *follows* from that.\n\nWhat settles is the share." in written.body
    assert "73" not in written.body and "Feller (1968)" not in written.body
    assert [note.split(" (")[0] for note in written.notes] == [
        "left out: It fell on heads 73 times out of a hundred.",
        "left out: As Feller",
    ]
    assert said == ["coin-post: left out of the scientist edition, for the checks: 2 things, named in its draft.json"]


def test_a_good_draft_is_left_alone(project: Project) -> None:
    said: list[str] = []
    assert drafted_with(project, the_post(project), "scientist", said).notes == () and said == []


def test_a_sentence_that_runs_on_takes_its_paragraph_along(project: Project) -> None:
    notes = "A coin forgets.\n\nIn 73 throws out of a hundred we have\n\n$$\np = 1\n$$\n\nas it should be.\n\nSo be it."
    written = drafted_with(project, with_notes(the_post(project), "scientist", LEAD, notes), "scientist", [])
    assert "A coin forgets.\n\nSo be it." in written.body and "$$" not in written.body


def test_what_holds_no_sentence_goes_with_what_it_belongs_to(project: Project) -> None:
    notes = "A coin forgets.\n\n![[coin.png]]\n\nIts chance is\n\n$$\np\n$$\n\nSo be it."
    lefts: dict[Edition, str] = {"scientist": "Its chance is\n\n$$\np\n$$\n\n", "manager": ""}
    for edition, left in lefts.items():
        written = drafted_with(project, with_notes(the_post(project), edition, LEAD, notes), edition, [])
        assert f"A coin forgets.\n\n{left}So be it." in written.body


def test_a_draft_that_is_too_long_ends_its_longest_passages_earlier(project: Project) -> None:
    paragraph = "A coin forgets what it did, and whoever watches it does not. " * 40
    notes = "\n\n".join(f"{paragraph}Thus ends the part called {name}." for name in "abcdefghijklmnop")
    written = drafted_with(project, with_notes(the_post(project), "scientist", LEAD, notes), "scientist", [])
    assert "the part called a." in written.body and "the part called p." not in written.body
    assert written.body.count("Thus ends") == 7  # of 486 words, in the 15 minutes that an edition may take
    assert LEAD.strip() in written.body
    (note,) = written.notes
    assert note.endswith("words of the notes left out, to keep to the length")


def test_a_paragraph_alone_loses_its_last_sentences(project: Project) -> None:
    notes = "A coin forgets what it did, and whoever watches it does not. " * 500
    written = drafted_with(project, with_notes(the_post(project), "scientist", LEAD, notes), "scientist", [])
    assert 250 < written.body.count("A coin forgets") < 350


def test_a_term_that_nobody_explains_is_explained(project: Project) -> None:
    notes = (
        "The estimator settles down. If you throw a coin often, the share of heads does as well, and nobody wonders."
    )
    evidence = with_notes(the_post(project), "manager", LEAD, notes)
    evidence = replace(
        evidence, glossary={"Estimator": "a rule that turns measurements into a guess at what is sought"}
    )
    written = drafted_with(project, evidence, "manager", [])
    explained = "By *Estimator* I mean a rule that turns measurements into a guess at what is sought."
    assert f"nobody wonders. {explained}" in written.body and written.notes == ()


def test_what_the_notes_do_not_say_is_not_looked_for(project: Project) -> None:
    finding = Finding("typed-number", "error", "a number", "x.md", 1, 1, "Nobody wrote this.")
    body, said = fitted(the_post(project), "scientist", "opening", lambda these: "Composed.", lambda body: [finding])
    assert (body, said) == ("Composed.", ())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One.\n\nTwo.", ["One.", "Two."]),
        ("One:\n\n- a\n- b\n\nTwo.", ["One:\n\n- a\n- b", "Two."]),
        ("We have\n\n$$\nx = 1,\n$$\n\nand so on.\n\nTwo.", ["We have\n\n$$\nx = 1,\n$$\n\nand so on.", "Two."]),
        ("One.\n\n$$\nx = 1 .\n$$\n\nTwo.", ["One.\n\n$$\nx = 1 .\n$$", "Two."]),
        ("### Title\n\nOne.\n\n| a |\n| --- |\n| 1 |", ["### Title\n\nOne.\n\n| a |\n| --- |\n| 1 |"]),
        ("", []),
    ],
)
def test_what_runs_on_stays_together(text: str, parts: list[str]) -> None:
    assert list(parts_of(text)) == parts


@pytest.mark.parametrize(
    ("notes", "left"),
    [
        ("A coin forgets. It fell\non heads 73 times. So be it,\nand so on.", "A coin forgets. So be it,\nand so on."),
        ("A coin forgets.\nIt fell on heads 73 times.\nSo be it.", "A coin forgets.\nSo be it."),
        ("This we see:\n\n- *Coin*: It fell on heads 73 times. So be it.", "This we see:\n\n- So be it."),
        ("This we see:\n\n- It fell on heads 73 times.\n- So be it.", "This we see:\n\n- So be it."),
        ("So be it.\n\nThis we see:\n\n- It fell on heads 73 times.", "So be it."),
    ],
)
def test_a_sentence_is_cut_out_of_what_holds_it(notes: str, left: str, project: Project) -> None:
    written = drafted_with(project, with_notes(the_post(project), "scientist", LEAD, notes), "scientist", [])
    assert f"\n\n{left}\n\n" in written.body and "73" not in written.body and "This we see:\n\nS" not in written.body


FRAGMENTS = [
    "A coin forgets.", "It fell on heads 73 times.", "**Bold**: twice as fast as ever.", "See [a link](https://x.org).",
    "We have\n\n$$\nx = 73\n$$\n\nas said.", "- one item\n- It was 12 % faster.\n- third", "1. first\n2. 73 heads",
    "> quote of somebody 73", "| a | b |\n| --- | --- |\n| 1 | 73 % |", "```python\nx = 73\n```", "<b>raw</b> words.",
    "As Feller (1968) shows, it does[^1].\n\n[^1]: A note with 73 in it.", "![[pic.png]]", "It beats all the others.",
    "[[#Throwing|see]] this.", "> [!note] Title 73\n> Body is faster than before.", "{val}`no.such.key` is unknown.",
    "{claim}`nope|it wins`.", "Ends without a stop", "line one\nline two was 73\nline three.", "### Sub 73\n\nText.",
    "*It was 73.* And more.", '"It was 73," he said. So.', "    indented code 73", "- nested\n  - 73 times.\n  - ok",
    "$$ x = $", "{fig}`nope`", "a%%secret%%b 73", "===", "***", "Über 73 Münzen. 猫は73回。",
]  # fmt: skip


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_notes_hold_the_draft_has_no_error(seed: int, edition: Edition, project: Project) -> None:
    chance = random.Random(seed)
    notes = "\n\n".join(chance.sample(FRAGMENTS, 3 + seed))
    evidence = with_notes(the_post(project), edition, LEAD, notes)
    written = drafted_with(project, evidence, edition, [])
    draft = _as_draft(project, "coin-post", edition, written.front, written.body)
    assert [str(f) for f in check_draft(project, evidence, draft, None) if f.severity == "error"] == []
    assert LEAD.strip() in written.body


REAL = {e.post.slug: e for e in gather_all(find_project(ROOT), "small")[0]}


@pytest.mark.parametrize("slug", REAL)
def test_the_drafts_of_this_vault_pass_every_check(slug: str) -> None:
    """As their notes are written, at full length and without regard for any check."""
    project, evidence = find_project(ROOT), REAL[slug]
    done: dict[tuple[str, Edition], Written] = {}
    quiet: Callable[[str], None] = lambda line: None  # noqa: E731
    found = []
    for edition in EDITIONS:
        task = Task(evidence, edition, "no draft yet")
        done[slug, edition] = run(project, task, begin(project, task, "offline", quiet, done), None, Purse(None), quiet)
        drafts = {e: _as_draft(project, slug, e, new.front, new.body) for (_, e), new in done.items()}
        other = drafts.get("scientist") if edition == "manager" else None
        found += [f for f in check_draft(project, evidence, drafts[edition], other) if f.severity != "review"]
    assert [str(finding) for finding in found] == []
