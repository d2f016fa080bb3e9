"""What the commands add to the notes: a knowledge gap, a source in the bibliography and its cluster, a week's note.

Each function gives the new text; nothing here writes.
"""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass

from experiments.kit.errors import CannotRun
from pipeline.plan import Cluster, Plan
from pipeline.plan.clusters import GAPS
from pipeline.properties import append_item
from pipeline.sources import Source, parse_sources
from pipeline.vault import Note, plain_heading

DATED = ("paper", "book")
"""Kinds that cannot be cited without the year they appeared in; other things are of no one year."""
_ENTRY_TYPES = {"paper": "article", "book": "book", "tool": "software", "dataset": "misc"}


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source as a person gives it. `authors` are in BibTeX's order: "Sutton, Richard S. and Barto, Andrew G.".

    `topics` are what it covers, by commas.
    """

    key: str
    kind: str
    title: str
    authors: str
    year: str = ""
    url: str = ""
    doi: str = ""
    arxiv: str = ""
    topics: str = ""

    def entry(self) -> str:
        """It as a BibTeX entry."""
        fields = {
            "author": self.authors, "title": self.title, "year": self.year, "doi": self.doi, "eprint": self.arxiv,
            "archiveprefix": "arXiv" if self.arxiv else "", "url": self.url, "kind": self.kind, "keywords": self.topics,
        }  # fmt: skip
        kind = "misc" if self.arxiv and not self.doi else _ENTRY_TYPES.get(self.kind, "online")
        lines = [f"  {name} = {{{_balanced(value)}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{kind}{{{self.key},", *lines, "}"]) + "\n"

    def read(self) -> Source:
        """It as the bibliography will read it. Raises CannotRun where it cannot be read back."""
        sources, findings = parse_sources(self.entry(), "the new entry")
        errors = [finding for finding in findings if finding.severity == "error"]
        if self.key not in sources or errors:
            raise CannotRun("the entry cannot be used:\n" + "\n".join(str(error) for error in errors))
        return sources[self.key]


def _balanced(value: str) -> str:
    """A value whose braces close, on one line, with what TeX would take as a command kept literal."""
    flat = " ".join(value.split())
    depth = 0
    for letter in flat:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            break
    flat = flat if depth == 0 else flat.replace("{", "").replace("}", "")
    return re.sub(r"(?<!\\)([%#&])", r"\\\1", flat)


def suggested_key(authors: str, title: str, year: str, taken: set[str]) -> str:
    """A key such as `vaswani2017`; where that is taken, with the title's first long word."""
    family = re.split(r",| and ", authors.strip("{} "))[0].split()[-1:] or ["source"]
    base = re.sub(r"[^a-z]", "", family[0].casefold()) or "source"
    base += year if re.fullmatch(r"\d{4}", year) else ""
    if base not in taken:
        return base
    long = next((word for word in re.findall(r"[a-z]+", title.casefold()) if len(word) > 3), "b")
    return next(key for key in (base + long, *(f"{base}{n}" for n in range(2, 1000))) if key not in taken)


def with_source(bibliography: str, new: NewSource) -> str:
    """The bibliography with the entry at its end, in its own line ends."""
    newline = "\r\n" if "\r\n" in bibliography else "\n"
    gap = "" if not bibliography.strip() else newline if bibliography.endswith(("\n", "\r")) else newline * 2
    return bibliography + gap + new.entry().replace("\n", newline)


def with_resource(cluster: Cluster, priority: str, key: str, where: str = "", note: str = "") -> str:
    """A cluster's note with a source added to its resources of one kind."""
    known = [r for group in cluster.resources.values() for r in group if r.source == key and r.where == where]
    if known:
        raise CannotRun(f"cluster {cluster.number} has {key} already ({cluster.note.file}:{known[0].line})")
    item = key
    if where or note:
        texts = [f"{name}: {json.dumps(v, ensure_ascii=False)}" for name, v in (("where", where), ("note", note)) if v]
        item = f"{{{', '.join([f'source: {key}', *texts])}}}"
    return append_item(cluster.note.text, ("resources", priority), item, cluster.note.file)


def suited(plan: Plan, texts: tuple[str, ...]) -> list[Cluster]:
    """The clusters a source may belong to: those that share a topic with its texts, by how many they share."""
    wanted = set(plan.topics.of(texts))

    def shared(cluster: Cluster) -> int:
        names = (name for topic in cluster.topics for name in topic.names())
        return len(wanted.intersection(plan.topics.of((cluster.title, *names, *cluster.tags))))

    return sorted((c for c in plan.clusters.values() if shared(c)), key=shared, reverse=True)


def with_gap(note: Note, text: str, day: datetime.date, cluster: Cluster | None = None) -> str:
    """The roadmap's note with a line under Knowledge gaps; the heading is added where it is missing."""
    flat = " ".join(text.split())
    if not flat:
        raise CannotRun('a gap needs words: forge gap add "why the span bounds the error"')
    link = f" ([[{cluster.note.path.removesuffix('.md')}|{cluster.number}]])" if cluster else ""
    line = f"- [ ] {day.isoformat()}: {flat}{link}"
    newline = "\r\n" if "\r\n" in note.text else "\n"
    section = next((s for s in note.sections if plain_heading(s.title) == plain_heading(GAPS)), None)
    if section is None:
        body = note.text.rstrip("\r\n")
        return f"{body}{newline * 2 if body else ''}## {GAPS}{newline * 2}{line}{newline}"
    inside = note.text[section.start : section.end]
    kept = inside.rstrip()
    listed = bool(re.search(r"^\s*[-*+] ", kept.splitlines()[-1])) if kept else False
    tail = inside[len(kept) :] or newline
    at = section.start + len(kept)
    return f"{note.text[:at]}{newline if listed else newline * 2}{line}{tail}{note.text[section.end :]}"


_GAP = re.compile(r"(?:\d{4}-\d\d-\d\d: )?(.*?)(?: \(\[\[[^\[\]]+\]\]\))?")


def gap_words(text: str) -> str:
    """What a gap says, without its date and cluster, so that two can be compared."""
    said = _GAP.fullmatch(" ".join(text.split()))
    return said[1].casefold() if said else text


def week_note(plan: Plan, number: int) -> str:
    """A template for the note of a week: its properties and the eight parts of a study note."""
    phase = next((f"Phase {p.number}: {p.title}" for p in plan.schedule.phases if number in p.weeks), "")
    parts = (
        ("The set-up: what problem is this?", "A real case, before any notation."),
        ("Intuition first", "Pictures and comparisons that carry the idea."),
        ("The maths, with a running commentary", "Each line, and why it follows."),
        ("The code", "What runs, and where it lives: experiments/weekNN_name/."),
        ("Gotchas", "What broke, and how it was noticed."),
        ("Paper trail: who worked this out", "What each paper really adds, with its {cite} key."),
        ("When to use this, and when not", "The kind of problem, the price, the alternatives."),
        ("Exercises", "Small things to do that settle the idea."),
    )
    body = "\n\n".join(f"## {heading}\n\n%% {hint} %%" for heading, hint in parts)
    return f"""---
type: week
week: {number}
title: "Week {number}"
phase: {json.dumps(phase, ensure_ascii=False)}
topics: []
core_papers: []
experiments: []
wandb: []
tags: [week]
posts:
  - slug: week-{number}-post
    title: "The post of week {number}"
    brief: "What the post should do, in two or three sentences."
---
%% Fill in the properties above; docs/plan-format.md says what each key means. %%

{body}
"""
