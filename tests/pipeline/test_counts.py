"""The counts of the plan against the five planning documents, and against the numbers read from them once.

Where the documents are at hand (`../shared/seeds`), every number is counted from their text again.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from pipeline.counts import Counts, count
from pipeline.plan import Plan, load_plan
from pipeline.sources import load_sources
from pipeline.vault import Vault

ROOT = Path(__file__).parents[2]
SEEDS = ROOT.parent / "shared" / "seeds"
SPRINT, ROADMAP, BLOGS, LECTURES, COURSE = (
    "000_60c8cd2c9691d019.txt", "001_6ec5124641918311.txt", "002_fcf0b389c1253eca.txt", "003_ca514bef7e87156c.txt",
    "004_03d7d01e32eeecda.txt",
)  # fmt: skip
LINK = r"\[[^\]]+\]\(https?://"

# What, in which document, the number, and how to count it there.
NUMBERS: tuple[tuple[str, str, int, str, str], ...] = (
    ("blog plan", "weeks", 16, BLOGS, r"^### \*\*Week \d+"),
    ("blog plan", "phases", 4, BLOGS, r"^## \*\*Phase \d"),
    ("blog plan", "posts", 24, BLOGS, r'^\*\*Blog(?: \d)?\*\*: "'),
    ("blog plan", "editions", 2, BLOGS, r"^- .*Edition|^- Manager"),
    ("blog plan", "habits of the rhythm", 4, BLOGS, r"^- \*\*(?:Monday|Thursday|Friday|Weekend)"),
    ("blog plan", "courses", 5, BLOGS, r"^\d\. https"),
    ("roadmap", "phases", 7, ROADMAP, r"^## \*\*PHASE"),
    ("roadmap", "clusters", 25, ROADMAP, r"^### Cluster"),
    ("roadmap", "clusters done", 1, ROADMAP, r"^### Cluster .*✅"),
    ("roadmap", "clusters in progress", 2, ROADMAP, r"^### Cluster .*🔄"),
    ("roadmap", "integration sessions", 6, ROADMAP, r"^#### \*\*Session"),
    ("roadmap", "concept map rows", 8, ROADMAP, r"^\| (?!RL Concept|-).*\|$"),
    ("sprint", "sessions", 12, SPRINT, r"^### \*\*Session"),
    ("sprint", "tracks", 3, SPRINT, r"^## \*\*TRACK"),
    ("sprint", "time slots", 48, SPRINT, r"^- \d+ min:"),
    ("sprint", "posts", 12, SPRINT, r"^- Ready to write"),
    ("sprint", "weeks", 6, SPRINT, r"^- \*\*Week \d \("),
    ("lectures", "lectures", 15, LECTURES, r"^\d+\. \*\*\[Lecture"),
    ("lectures", "blocks", 4, LECTURES, r"^### .* Block"),
    ("lectures", "parts of the form", 8, LECTURES, r"^### \d\. "),
    ("lectures", "reading paths", 3, LECTURES, r"^### If You"),
    ("course", "weeks", 12, COURSE, r"^#### \*\*Week"),
    ("course", "months", 3, COURSE, r"^### \*\*Month"),
    ("course", "assignments", 7, COURSE, r"^\* \*\*Assignment:"),
    ("course", "projects", 3, COURSE, r"^\* \*\*Project:|Final Capstone Project"),
)


@cache
def plan() -> Plan:
    return load_plan(Vault.load(ROOT / "notes"))[0]


@cache
def counts() -> Counts:
    return count(plan(), load_sources(ROOT / "notes" / "references.bib")[0])


def seed(name: str) -> str:
    path = SEEDS / name
    if not path.is_file():
        pytest.skip("the planning documents are not beside this clone")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("document", "what", "number", "name", "pattern"), NUMBERS, ids=lambda v: str(v)[:20])
def test_the_plan_has_what_the_documents_have(document: str, what: str, number: int, name: str, pattern: str) -> None:
    assert counts()[document][what] == number
    assert len(re.findall(pattern, seed(name), re.MULTILINE)) == number


def test_every_cluster_has_its_resources() -> None:
    ours = {number: sum(map(len, cluster.resources.values())) for number, cluster in plan().clusters.items()}
    assert sum(ours.values()) == 196
    body = seed(ROADMAP).partition("# **DUAL-TRACK INTEGRATION MAPPING**")[0]
    parts = re.findall(r"^### Cluster (\d\.\d)(.*?)(?=^### Cluster|^## |\Z)", body, re.MULTILINE | re.DOTALL)
    assert ours == {number: len(re.findall(LINK, text)) for number, text in parts}


def test_every_cluster_has_its_kinds_of_resources() -> None:
    body = seed(ROADMAP).partition("# **DUAL-TRACK INTEGRATION MAPPING**")[0]
    theirs: dict[str, int] = {}
    for kind, listed in re.findall(r"^- \*\*([\w -]+)\*\*: (.*)$", body, re.MULTILINE):
        key = f"resources: {kind.lower().replace(' ', '-')}"
        theirs[key] = theirs.get(key, 0) + len(re.findall(LINK, listed))
    ours = {what: number for what, number in counts()["roadmap"].items() if what.startswith("resources: ")}
    assert ours == {kind: number for kind, number in theirs.items() if number}


def test_every_session_has_its_materials_and_criteria() -> None:
    ours = {number: sum(map(len, session.materials.values())) for number, session in plan().sessions.items()}
    assert ours == {1: 10, 2: 10, 3: 12, 4: 12, 5: 12, 6: 12, 7: 12, 8: 15, 9: 12, 10: 12, 11: 15, 12: 15}
    assert {len(session.criteria) for session in plan().sessions.values()} == {4}
    parts = re.findall(r"^### \*\*Session (\d+)(.*?)(?=^### |^## |\Z)", seed(SPRINT), re.MULTILINE | re.DOTALL)
    links = {int(number): len(re.findall(LINK, text)) for number, text in parts}
    links[12] += 1  # "All previous session materials for synthesis"
    assert ours == links


def test_every_link_of_the_documents_is_in_the_plan() -> None:
    sources = load_sources(ROOT / "notes" / "references.bib")[0]
    ours = {r.link or sources[r.source].url for r, _, _ in plan().cited() if r.source in sources}
    ours |= {source.url for source in sources.values()} | {source.link for source in sources.values()}
    text = "".join(seed(name) for name in (SPRINT, ROADMAP))
    theirs = set(re.findall(r"\]\((https?://[^)\s]+)\)", text))
    assert theirs - ours == set()


def test_titles_of_posts_are_the_documents() -> None:
    ours = {post.title for _, post in plan().posts.values()}
    assert ours == set(re.findall(r'^\*\*Blog(?: \d)?\*\*: "(.*)"', seed(BLOGS), re.MULTILINE))
    assert {session.post for session in plan().sessions.values()} == set(
        re.findall(r'^- Ready to write "(.*)"', seed(SPRINT), re.MULTILINE)
    )


def test_experiments_and_measures_are_all_there() -> None:
    blocks = re.findall(r"\*\*Experiments:\*\*\n(.*?)\n\n", seed(BLOGS), re.DOTALL)
    for week, block in zip(plan().weeks.values(), blocks, strict=True):
        assert len(week.experiments) >= len(re.findall(r"^- (?!\*\*WandB)", block, re.MULTILINE)), week.number
        (measures,) = re.findall(r"\*\*WandB\*\*: (.*)", block)
        assert len(week.wandb) == len(measures.split(", ")), week.number
