"""The Manager edition's reading grade, with the paragraphs that raise it."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import metadata

import pytest

from pipeline.checks import reading
from pipeline.checks.reading import Grades, NotMeasured, check, grades_of, measure, prose_blocks, read_aloud
from pipeline.checks.subject import Subject, make_subject
from pipeline.drafts import Draft
from pipeline.markdown import parse
from pipeline.project import Project
from tests.toy_project import the_post

EASY = (
    "A bet on a coin is a small choice. You do not know how it will end. You still have to say yes or no. Most are so."
)
HARD = (
    "Notwithstanding considerable methodological heterogeneity, organisations systematically underestimate "
    "irreversibility, particularly where consequential commitments accumulate incrementally over extended periods and "
    "institutional accountability deteriorates."
)


def textstat_fits() -> bool:
    try:
        measure(["A coin."])
    except NotMeasured:
        return False
    return True


needs_textstat = pytest.mark.skipif(not textstat_fits(), reason=f"needs textstat{reading.VERSIONS}")


@pytest.fixture
def subject(project: Project) -> Subject:
    body = f"{EASY}\n\n{HARD} {HARD}\n\n## Next {{#next}}\n\n{EASY}\n"
    text = f"---\ntitle: x\n---\n{body}"
    draft = Draft("coin-post", "manager", project.drafts / "coin-post" / "manager.md", text, {}, body, 4)
    return make_subject(project, the_post(project), draft, None)


@needs_textstat
def test_known_grades() -> None:
    """Flesch-Kincaid by hand: 0.39 words a sentence + 11.8 syllables a word - 15.59."""
    text = "The cat sat on the mat. The dog ran to the man."  # 12 words, 2 sentences, 12 syllables
    assert measure([text]).whole == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59, abs=0.02)
    easy, hard = measure([EASY]).whole, measure([HARD]).whole
    assert easy < 4 and hard > 20


@needs_textstat
def test_an_edition_above_the_limit_names_its_hardest_paragraph(subject: Subject) -> None:
    (found,) = check(subject)
    assert (found.check, found.severity, found.file) == ("reading-grade", "error", "drafts/coin-post/manager.md")
    assert found.line == 6 and "line 6 (grade" in found.fix and found.sentence.startswith("Notwithstanding")
    assert "the limit is 10" in found.message


@needs_textstat
def test_the_real_and_the_toy_text_pass(subject: Subject) -> None:
    easy = replace(subject.draft, body=EASY, text=EASY)
    assert list(check(make_subject(subject.project, subject.evidence, easy, None))) == []


def test_only_the_manager_edition_is_graded(subject: Subject) -> None:
    hard = replace(subject.draft, edition="scientist")
    assert list(check(make_subject(subject.project, subject.evidence, hard, None))) == []


def test_grades_are_kept_by_the_text(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def counted(paragraphs: list[str]) -> Grades:
        calls.append(paragraphs)
        return Grades(7.0, (7.0,))

    monkeypatch.setattr(reading, "measure", counted)
    assert grades_of(project, [EASY]) == grades_of(project, [EASY]) == Grades(7.0, (7.0,))
    assert grades_of(project, [HARD]).whole == 7.0 and calls == [[EASY], [HARD]]
    kept = sorted((project.scratch / "reading").iterdir())
    assert len(kept) == 2 and json.loads(kept[0].read_text()) == {"whole": 7.0, "paragraphs": [7.0]}
    for path in kept:
        path.write_text("{broken")
    assert grades_of(project, [EASY]).whole == 7.0 and len(calls) == 3


@pytest.mark.parametrize("version", ["", "0.7.13", "0.7.4"])
def test_without_a_fitting_textstat_it_says_so(subject: Subject, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    def installed(name: str) -> str:
        if not version:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", installed)
    (found,) = check(subject)
    assert (found.check, found.severity) == ("reading-grade", "warning")
    assert "not measured" in found.message and found.fix == 'pip install "textstat>=0.7.6,<0.7.9"'


def test_paragraphs_as_they_are_read() -> None:
    text = (
        "It takes {val}`a.b` steps, see {fig}`f` and {cite}`k|name`\n\n{fig}`f`\n\n{claim}``c|So {val}`a.b` wins.``\n"
    )
    document = parse(text)
    blocks = prose_blocks(document)
    assert [read_aloud(document, block) for block in blocks] == [
        "It takes ten steps, see the figure and the book.",
        "So ten wins.",
    ]
