"""Nothing of the five planning documents got lost on the way into the vault.

The documents lie beside a checkout (`../shared/seeds`) where the project was begun; elsewhere these tests are skipped.
Links, titles in quotation marks, dates, durations and the order of things are facts: each must be found in `notes/`,
or stand in a list below with the reason why not. A reason that is no longer needed fails as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import seeds
from pipeline.sources import load_sources

ROOT = Path(__file__).parents[2]
NOTES = ROOT / "notes"
SEEDS = ROOT.parent / "shared" / "seeds"
SPRINT, ROADMAP, BLOG, LECTURES, COURSE = "000", "001", "002", "003", "004"

seeds_needed = pytest.mark.skipif(not SEEDS.is_dir(), reason="the five planning documents are not beside this checkout")

NOT_TITLES = {
    "boring": "a word of the lectures' tips for studying",
    "what to focus on next": "the theme of a pairing, told in our words",
    "The policy gradient theorem states that ∇J(θ) = E[...]": "an example of how not to write",
    "Okay so we want to make good actions more likely. The gradient tells us which direction to push the "
    "probabilities. Here's why...": "an example of how to write",
    "Implement the algorithm": "an example of how not to write",
    "Here's the code. It will break at line 47 because of numerical instability. Here's why and how to fix it.": "an "
    "example of how to write",
    "See [Smith et al. 2023]": "an example of how not to write, with an invented paper",
    "Smith's paper solves the reward hacking problem I mentioned in lecture 9. Their key insight is X. I'll use their "
    "technique in lecture 13.": "an example of how to write, with an invented paper",
    "What would happen if...?": "a tip for studying, told in our words",
    "These are my notes to future me. If past-me had this, I would've saved months.": "a motto",
    "The best time to start was yesterday. The second best time is now.": "a motto",
    "current situation": "an insight of the concept map, told in our words",
    "choices made given context": "an insight of the concept map, told in our words",
    "quality/meaning": "an insight of the concept map, told in our words",
    "Train Short, Test Long: Attention with Linear Biases (ALiBi)": "altered; the bibliography has the right title",
}
NOT_NAMES = {(4, "RLHF"): "what GRPO is said to be the latest for; told in the week's brief and note"}
DURATIONS = {
    ("1", "week"): "the rule of one post a week after a cluster: `post_within_days: 7`",
}


@cache
def seed(document: str) -> str:
    (path,) = SEEDS.glob(f"{document}_*.txt")
    return path.read_text(encoding="utf-8")


@cache
def vault_text() -> str:
    files = [*sorted(NOTES.rglob("*.md")), NOTES / "references.bib"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@cache
def properties(path: str) -> dict[str, Any]:
    found = yaml.safe_load((NOTES / path).read_text(encoding="utf-8").split("---\n")[1])
    assert isinstance(found, dict)
    return found


@cache
def addresses() -> dict[str, str]:
    """The address of each entry of the bibliography, by key."""
    return {key: source.url for key, source in load_sources(NOTES / "references.bib")[0].items()}


def links(text: str) -> set[str]:
    return set(re.findall(r"https?://[^\s\"{}<>)\]]+", text))


def quoted(text: str) -> set[str]:
    return {" ".join(title.split()) for title in re.findall(r'(?<!\w)["“]([^"”“\n]+)["”]', text)}


def durations(text: str) -> set[tuple[str, str]]:
    """(number or span, unit) of every duration: "2-3 hours", "16-week", but also the property `hours: 2.5`."""
    unit = "(hour|min|week)"
    found = re.findall(rf"(?<![\w.-])~?(\d+(?:\.\d)?(?:-\d+)?)[ -]{unit}", text, re.IGNORECASE)
    properties = re.findall(rf"\b{unit}s(?:_per_week)?: (\d+(?:\.\d)?(?:-\d+)?)(?![\w.-])", text)
    return {(number, name.lower()) for number, name in found} | {(number, name) for name, number in properties}


def days(text: str) -> Iterator[str]:
    """Every date of the year 2025 that a text names, as an ISO date."""
    months = {"Aug": 8, "August": 8, "Sep": 9, "September": 9}
    name = "|".join(sorted(months, key=len, reverse=True))
    for month, first, to_month, last in re.findall(rf"\b({name}) (\d+)(?:-(?:({name}) )?(\d+))?\b", text):
        yield f"2025-{months[month]:02d}-{int(first):02d}"
        if last:
            yield f"2025-{months[to_month or month]:02d}-{int(last):02d}"
    for day, month in re.findall(r"\b(\d\d)-(\d\d)-2025\b", text):
        yield f"2025-{month}-{day}"
    yield from re.findall(r"\b2025-\d\d-\d\d\b", text)


def given(items: list[Any]) -> list[str]:
    """The addresses that a list of resources or materials leads to, in its order."""
    found = []
    for item in items:
        if isinstance(item, str):
            found.append(addresses()[item.partition(",")[0].strip()])
        elif "source" in item:
            found.append(item.get("link") or addresses()[item["source"]])
    return found


def linked(text: str) -> list[str]:
    """The addresses of a text's Markdown links, in its order."""
    return re.findall(r"\]\((https?://\S+?)\)(?=[\s,]|$)", text)


def within(value: Any) -> Iterator[str]:
    """Every text of a nested list or mapping, keys among them."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield str(key)
            yield from within(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from within(inside)
    elif value is not None:
        yield str(value)


def test_links_are_told_from_what_stands_around_them() -> None:
    text = '[a](https://x.org/a.pdf#page=3), {url = {https://y.org/b_c}} "https://z.org/?v=1&list=2" <https://w.org/>'
    assert links(text) == {
        "https://x.org/a.pdf#page=3",
        "https://y.org/b_c",
        "https://z.org/?v=1&list=2",
        "https://w.org/",
    }


def test_durations_are_read_from_prose_and_from_properties() -> None:
    text = "~5-6 hours per week (30-45 minutes), a 16-week plan\nweek: 3\nhours: 2.5\nhours_per_week: 4\n- 90 min: x"
    assert durations(text) == {
        *(("5-6", "hour"), ("30-45", "min"), ("16", "week"), ("2.5", "hour"), ("4", "hour"), ("90", "min")),
    }


def test_titles_and_days_are_found() -> None:
    assert quoted('**Blog 1**: "Decision Making 101: How AI Learns"  and 5" by 3') == {
        "Decision Making 101: How AI Learns"
    }
    assert list(days("August 5-30, 2025; (Aug 26-Sep 1); Thursday, September 12; 07-07-2025; 2025-08-03")) == [
        *("2025-08-05", "2025-08-30", "2025-08-26", "2025-09-01", "2025-09-12", "2025-07-07", "2025-08-03")
    ]


@seeds_needed
@pytest.mark.parametrize("document", [SPRINT, ROADMAP, BLOG, LECTURES, COURSE])
def test_every_link_is_in_the_vault(document: str) -> None:
    assert links(seed(document)) - links(vault_text()) == set()


@seeds_needed
def test_every_quoted_title_is_in_the_vault() -> None:
    everything = " ".join(vault_text().replace('\\"', '"').split()).casefold()
    titles = set().union(*(quoted(seed(document)) for document in (SPRINT, ROADMAP, BLOG, LECTURES, COURSE)))
    missing = {title for title in titles if title.rstrip(".,").casefold() not in everything}
    assert missing - set(NOT_TITLES) == set()
    assert set(NOT_TITLES) - missing == set(), "an exception that is no longer needed"


@seeds_needed
def test_every_day_is_in_the_vault() -> None:
    wanted = {day for document in (SPRINT, ROADMAP, BLOG) for day in days(seed(document))}
    assert len(wanted) == 20
    assert wanted - set(re.findall(r"2025-\d\d-\d\d", vault_text())) == set()


@seeds_needed
@pytest.mark.parametrize("document", [SPRINT, ROADMAP, BLOG, LECTURES, COURSE])
def test_every_duration_is_in_the_vault(document: str) -> None:
    missing = durations(seed(document)) - durations(vault_text())
    assert missing - set(DURATIONS) == set()
    if document == ROADMAP:
        assert set(DURATIONS) - missing == set(), "an exception that is no longer needed"


@seeds_needed
def test_every_cluster_keeps_its_title_times_post_and_resources() -> None:
    parts = re.split(r"^### Cluster ", seed(ROADMAP), flags=re.MULTILINE)[1:]
    assert len(parts) == 25
    assert len(list((NOTES / "roadmap").glob("[0-9]*.md"))) == 25
    for part in parts:
        part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
        number = part[:3]
        (path,) = (NOTES / "roadmap").glob(f"{number}-*.md")
        note = properties(f"roadmap/{path.name}")
        assert note["cluster"] == number
        assert part.startswith(f"{number}: {note['title']} ")
        assert f'**Blog Scope**: "{note["blog"]}" ({note["reading_time"]} read)' in part
        assert f"**Learning Time**: {note['learning_time']}" in part
        kinds = re.findall(r"^- \*\*([^*]+)\*\*: (.*)$", part, re.MULTILINE)
        assert list(note["resources"]) == list(dict.fromkeys(kind.lower().replace(" ", "-") for kind, _ in kinds))
        for kind, items in note["resources"].items():
            theirs = " ".join(text for name, text in kinds if name.lower().replace(" ", "-") == kind)
            assert given(items) == linked(theirs), f"{number} {kind}"
        marks = {"✅": "done", "🔄": "in-progress", "⏳": "planned"}
        assert note["status"] == marks[part.split("\n")[0].strip()[-1]]
        assert bool(note.get("published")) == ("**PUBLISHED**" in part)


@seeds_needed
def test_every_session_keeps_its_day_times_materials_and_post() -> None:
    parts = re.split(r"^### \*\*Session ", seed(SPRINT), flags=re.MULTILINE)[1:]
    assert len(parts) == len(list((NOTES / "sprint").glob("session-*.md"))) == 12
    for number, part in enumerate(parts, 1):
        part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
        note = properties(f"sprint/session-{number:02d}.md")
        head = part.split("\n")[0]
        assert note["session"] == number
        assert str(note["date"]) in days(head)
        assert f"{note['day']}, " in head
        assert f"({note['hours']} hours)" in head
        assert [key for item in note["time"] for key in item] == re.findall(r"^- (\d+ min): ", part, re.MULTILINE)
        listed = part.split("Materials to Upload")[1].split("Time Allocation")[0]
        groups = re.findall(r"^\*\*([^*]+)\*\*:\n\n((?:- .*\n)+)", listed, re.MULTILINE)
        assert [name.replace("&", "and").lower() for name, _ in groups] == [name.lower() for name in note["materials"]]
        for (name, theirs), items in zip(groups, note["materials"].values(), strict=True):
            assert given(items) == linked(theirs), f"{number} {name}"
        assert f'Ready to write "{note["post"]}"' in part
        clusters = re.findall(r"Cluster (\d\.\d)", part.split("\n")[1])
        if clusters:
            assert [re.search(r"\d\.\d", link)[0] for link in note["clusters"]] == clusters  # type: ignore[index]
        criteria = part.split("Success Criteria**:")[1].split("**🔧")[0]
        body = (NOTES / f"sprint/session-{number:02d}.md").read_text(encoding="utf-8")
        assert body.count("- [ ]") == criteria.count("\n- ")


@seeds_needed
def test_every_week_keeps_its_title_phase_posts_and_papers() -> None:
    text = seed(BLOG)
    phases = list(re.finditer(r"^## \*\*(Phase \d: .+?) \(Weeks (\d+)-(\d+)\)\*\*", text, re.MULTILINE))
    assert len(phases) == 4
    parts = re.split(r"^### \*\*Week ", text, flags=re.MULTILINE)[1:]
    assert len(parts) == len(list((NOTES / "plan").glob("week-*.md"))) == 16
    posts = 0
    for number, part in enumerate(parts, 1):
        part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
        note = properties(f"plan/week-{number:02d}.md")
        (phase,) = [match[1] for match in phases if int(match[2]) <= number <= int(match[3])]
        assert note["phase"] == phase
        assert part.startswith(f"{number}: {note['title']}**")
        titles = re.findall(r'^\*\*Blog(?: \d)?\*\*: "(.+?)"', part, re.MULTILINE)
        assert [post["title"] for post in note["posts"]] == titles
        posts += len(titles)
        experiments = re.split(r"\*\*Experiments:\*\*", part)[1].split("- **WandB**")[0]
        wanted = re.findall(r"^- ", experiments, re.MULTILINE)
        assert len(note["experiments"]) >= len(wanted)
        measures = re.search(r"\*\*WandB\*\*: (.+)", part)
        assert measures is not None
        assert len(note["wandb"]) == len(measures[1].split(", "))
        told = " ".join(re.split(r"\*\*(?:Notes for Agent|Content)\*\*:", part)[1:])
        for week in {int(n) for n in re.findall(r"[Ww]eek (\d+)", told)}:
            assert any(week in post.get("earlier", []) for post in note["posts"]), f"week {number}: {week}"
        top = re.split(r"\*\*Study Topics:\*\*", part)[1].split("- **Core Papers**")[0]
        assert len(note["topics"]) == len(re.findall(r"^- ", top, re.MULTILINE))
        assert len(list(within(note["topics"]))) >= len(re.findall(r"^ *- ", top, re.MULTILINE))
        names = {name for name in re.findall(r"\b\w*[A-Z]\w*[A-Z]\w*\b", top) if (number, name) not in NOT_NAMES}
        assert {name for name in names if name not in " ".join(within(note["topics"]))} == set(), f"week {number}"
    assert posts == 24


@seeds_needed
def test_every_lecture_and_course_week_keeps_its_title() -> None:
    lectures = re.findall(
        r"\*\*\[Lecture (\d+): (.+?)\]\(\./(lectures/.+?)\)\*\* - (.+)", seed(LECTURES).split("## 🎯")[0]
    )
    assert len(lectures) == len(list((NOTES / "lectures").glob("[0-9]*.md"))) == 15
    for number, title, path, promise in lectures:
        note = properties(path)
        assert (note["lecture"], note["title"], note["promise"]) == (int(number), title, promise)
        assert note["time"] == "2-4 hours"
    weeks = re.findall(r"#### \*\*Week (\d+): (.+?)\*\*", seed(COURSE))
    assert len(weeks) == len(list((NOTES / "course").glob("week-*.md"))) == 12
    for number, title in weeks:
        note = properties(f"course/week-{int(number):02d}.md")
        assert (note["week"], note["title"]) == (int(number), title)
    readings = re.findall(r"^\* \*([A-Z][^*]+?)\*\s+\(", seed(COURSE), re.MULTILINE)
    assert len(readings) == 10
    known = {source.title.casefold() for source in load_sources(NOTES / "references.bib")[0].values()}
    assert {title for title in readings if title.casefold() not in known} == set()


@seeds_needed
def test_the_roadmap_keeps_its_phases_pairings_and_map() -> None:
    note = properties("roadmap/index.md")
    phases = re.findall(r"^## \*\*PHASE (\d): (.+?)\*\*", seed(ROADMAP), re.MULTILINE)
    assert [(str(p["phase"]), p["title"].upper()) for p in note["phases"]] == phases
    sessions = re.findall(r"^#### \*\*Session (\d)\*\*: (.+?)\s*$", seed(ROADMAP), re.MULTILINE)
    assert [(str(s["session"]), s["title"]) for s in note["integration"]] == sessions
    table = re.findall(r"^\| (.+?) \| (.+?) \| .+? \|$", seed(ROADMAP).replace(r"\|", "¦"), re.MULTILINE)
    rows = [(a.replace("¦", "|"), b.replace("¦", "|")) for a, b in table if a != "RL Concept"]
    assert [(edge["rl"], edge["genai"]) for edge in note["concept_map"]] == rows
    assert len(rows) == 8


@seeds_needed
def test_everything_that_is_counted_in_the_documents_is_counted_in_the_vault() -> None:
    said: list[str] = []
    assert seeds.main([], said.append) == 0, "\n".join(said)
    assert len(said) > 50


def test_without_the_documents_the_count_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    assert seeds.main([str(tmp_path)], said.append) == 2
    assert "no planning documents in" in said[0]
