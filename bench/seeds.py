"""How much the five planning documents hold, counted from their text, beside what the vault has of it.

    python -m bench.seeds [FOLDER]     the documents' folder (default: ../shared/seeds beside the checkout)

Two independent counts: the documents by the shapes of their lines, the vault by the plan read from its notes. A
difference stands with its reason in `REASONS`; one without a reason, or a reason that is not needed, exits 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.counts import Counts, count
from pipeline.plan import load_plan
from pipeline.sources import load_sources
from pipeline.vault import Vault

REPO = Path(__file__).parents[1]
SEEDS = REPO.parent / "shared" / "seeds"
REASONS = {
    ("blog plan", "experiments"): "weeks 2 to 4 got studies that the document does not ask for",
}
"""Why the vault has more or less of something than its document."""


def counted(folder: Path) -> Counts:
    """Document -> what -> how many, from the text of the five documents in `folder`."""
    text = {path.name[:3]: path.read_text(encoding="utf-8") for path in sorted(folder.glob("00?_*.txt"))}
    return {
        "blog plan": dict(_blog_plan(text["002"])),
        "roadmap": dict(_roadmap(text["001"])),
        "sprint": dict(_sprint(text["000"])),
        "lectures": dict(_lectures(text["003"])),
        "course": dict(_course(text["004"])),
    }


def _blog_plan(text: str) -> Iterator[tuple[str, int]]:
    weeks = _parts(text, r"^### \*\*Week \d+: ")
    yield "weeks", len(weeks)
    yield "phases", _lines(text, r"## \*\*Phase \d+: ")
    topics = [_between(week, r"\*\*Study Topics:\*\*", r"- \*\*Core Papers") for week in weeks]
    yield "outermost topics", sum(_lines(part, "- ") for part in topics)
    papers = [_between(week, r"\*\*Core Papers\*\*:", r"\*\*Experiments") for week in weeks]
    yield "core papers", sum(_papers(part) for part in papers)
    experiments = [_between(week, r"\*\*Experiments:\*\*", r"- \*\*WandB") for week in weeks]
    yield "experiments", sum(_lines(part, "- ") for part in experiments)
    measures = [_between(week, r"\*\*WandB\*\*:", r"$") for week in weeks]
    yield "W&B measures", sum(len(part.split(", ")) for part in measures)
    yield "posts", _lines(text, r'\*\*Blog(?: \d)?\*\*: "')
    yield "posts with notes for the agent or a content line", _lines(text, r"\*\*(?:Notes for Agent|Content)\*\*: ")
    yield "editions", _lines(_between(text, r"## Editions", r"^---"), "- ")
    yield "habits of the rhythm", _lines(_between(text, r"\*\*Study Schedule\*\*", r"\*\*Blog Schedule"), "- ")
    yield "courses", _lines(_between(text, r"## References", r"Use this"), r"\d\. ")
    backlog = _between(text, r"Cutting-Edge Topics", r"^---")
    yield "backlog groups", _lines(backlog, r"\*\*.+:\*\*$")
    yield "backlog topics", _lines(backlog, "- ")


def _papers(part: str) -> int:
    """Core papers: titles in quotation marks count once, other words by commas and by a slash between two."""
    titles = len(re.findall(r'"[^"]+"', part))
    rest = re.sub(r'"[^"]+"(?: \([^)]*\))?', "", part)
    words = [item.strip(" -\n") for item in re.split(r"[,\n]", rest)]
    return titles + sum(1 + item.count("/") for item in words if item)


def _roadmap(text: str) -> Iterator[tuple[str, int]]:
    yield "phases", _lines(text, r"## \*\*PHASE \d")
    clusters = _parts(text, r"^### Cluster ")
    yield "clusters", len(clusters)
    yield "clusters done", _lines(text, r"### Cluster .*✅")
    yield "clusters in progress", _lines(text, r"### Cluster .*🔄")
    sessions = _parts(text, r"^#### \*\*Session \d")
    ends = [re.findall(r"- \*\*(?:Primary|Secondary)\*\*: Cluster (\d\.\d)", part) for part in sessions]
    yield "paired clusters", len({number for pair in ends if len(pair) == 2 for number in pair})
    kinds: dict[str, int] = {}
    for cluster in clusters:
        for kind, items in re.findall(r"^- \*\*([^*]+)\*\*: (.*)$", cluster, re.MULTILINE):
            name = f"resources: {kind.lower().replace(' ', '-')}"
            kinds[name] = kinds.get(name, 0) + items.count("](")
    yield "resources", sum(kinds.values())
    yield from sorted(kinds.items())
    yield "integration sessions", len(sessions)
    yield "concept map rows", _lines(text, r"\| .* \| .* \| Both ")


def _sprint(text: str) -> Iterator[tuple[str, int]]:
    sessions = _parts(text, r"^### \*\*Session \d+: ")
    yield "sessions", len(sessions)
    yield "tracks", _lines(text, r"## \*\*TRACK ")
    materials = [_between(part, r"Materials to Upload", r"Time Allocation") for part in sessions]
    yield "materials", sum(part.count("](") + _lines(part, "- All previous") for part in materials)
    yield "material groups", sum(_lines(part, r"\*\*.+\*\*:$") for part in materials)
    yield "time slots", sum(_lines(part, r"- \d+ min: ") for part in sessions)
    criteria = [_between(part, r"Success Criteria\*\*:", r"^(?:---|\*\*)") for part in sessions]
    yield "success criteria", sum(_lines(part, "- ") for part in criteria)
    focus = [_between(part, r"(?:Knowledge Forge|Mathematical) Focus\*\*:", r"^---") for part in sessions]
    yield "focus questions", sum(_lines(part, "- ") for part in focus)
    yield "posts", _lines(_between(text, r"## Expected Blog Outputs", r"^---"), r"\d\. \*\*")
    yield "weeks", _lines(text, r"- \*\*Week \d+ \(")
    yield "metrics", _lines(_between(text, r"### \*\*Success Metrics", r"^###"), "- ")
    yield "steps of the progression", _lines(_between(text, r"### \*\*Resource Progression", r"^This sprint"), "- ")


def _lectures(text: str) -> Iterator[tuple[str, int]]:
    structure = _between(text, r"Lecture Series Structure", r"^---")
    yield "lectures", _lines(structure, r"\d+\. \*\*\[Lecture ")
    yield "blocks", _lines(structure, r"### .+ Block ")
    yield "parts of the form", _lines(_between(text, r"How Each Lecture Is Structured", r"^---"), r"### \d\. ")
    yield "reading paths", _lines(_between(text, r"How to Use This Series", r"^---"), "### ")
    yield "things one can do after a block", _lines(_between(text, r"The Journey Ahead", r"^---"), "- ")


def _course(text: str) -> Iterator[tuple[str, int]]:
    weeks = _parts(text, r"^#### \*\*Week \d+: ")
    yield "weeks", len(weeks)
    yield "months", _lines(text, r"### \*\*Month \d")
    readings = [_between(week, r"\*\*Reading:\*\*", r"^\* \*\*|^---") for week in weeks if "**Reading:**" in week]
    yield "readings", sum(_lines(part, r"\* ") for part in readings)
    yield "assignments", _lines(text, r"\* \*\*Assignment:\*\*")
    yield "projects", sum("**Project:**" in week or "Project**" in week.split("\n")[0] for week in weeks)


def _parts(text: str, opening: str) -> list[str]:
    """The parts of a text that begin with a line, each up to the next heading as high or higher."""
    level = len(re.match(r"\^(#+)", opening)[1])  # type: ignore[index]
    starts = [match.start() for match in re.finditer(opening, text, re.MULTILINE)]
    ends = (re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(text, start + 1) for start in starts)
    return [text[start : end.start() if end else len(text)] for start, end in zip(starts, ends, strict=True)]


def _between(text: str, opening: str, closing: str) -> str:
    """What stands after the first match of `opening`, up to the next one of `closing`; '' where there is none."""
    first = re.search(opening, text, re.MULTILINE)
    if first is None:
        return ""
    last = re.compile(closing, re.MULTILINE).search(text, first.end())
    return text[first.end() : last.start() if last else len(text)]


def _lines(text: str, opening: str) -> int:
    """How many lines begin with a pattern."""
    return len(re.findall(rf"^{opening}", text, re.MULTILINE))


def compared(folder: Path, notes: Path) -> Iterator[tuple[str, str, int, int | None]]:
    """(document, what, in the document, in the vault) of everything that is counted on both sides."""
    vault = count(load_plan(Vault.load(notes))[0], load_sources(notes / "references.bib")[0])
    for document, rows in counted(folder).items():
        for what, number in rows.items():
            yield document, what, number, vault[document].get(what)


def main(words: list[str], say: Callable[[str], None] = print) -> int:
    """The table; 1 where a difference has no reason or a reason no difference."""
    folder = Path(words[0]) if words else SEEDS
    if not list(folder.glob("00?_*.txt")):
        say(f"no planning documents in {folder}; name their folder: python -m bench.seeds FOLDER")
        return 2
    say(f"{'':<10} {'':<48} {'document':>8} {'vault':>6}")
    unexplained, needed = 0, set()
    for document, what, theirs, ours in compared(folder, REPO / "notes"):
        reason = ""
        if theirs != ours:
            needed.add((document, what))
            reason = REASONS.get((document, what), "NOT EXPLAINED")
            unexplained += reason == "NOT EXPLAINED"
        say(f"{document:<10} {what:<48} {theirs:>8} {'-' if ours is None else ours:>6}  {reason}".rstrip())
    for document, what in REASONS.keys() - needed:
        say(f"{document}: {what} needs no reason any more")
    return 1 if unexplained or REASONS.keys() - needed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
