"""The page about all studies is what the recorded runs say."""

from __future__ import annotations

import re

from bench.studies import ROOT, overview


def worded(page: str) -> str:
    """The page without its numbers: measured times are another machine's as soon as a week has run on it."""
    return re.sub(r"[-−]?\d[\d.,e-]*( \[[^\]]*\])?", "#", page)


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    assert worded(page) == worded(overview()), "python -m bench.studies > docs/studies.md"


def test_every_study_tells_question_finding_and_limits() -> None:
    page = overview()
    studies = {
        f"{path.parent.name}/{path.stem.removesuffix('_study')}" for path in ROOT.glob("experiments/week*/*_study.py")
    }
    assert studies == set(re.findall(r"\(`(week\w+/\w+)`,", page))
    assert page.count("**Found:**") == page.count("**Not shown:**") == len(studies)
    assert "{val}" not in page
