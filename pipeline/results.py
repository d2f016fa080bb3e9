"""Results as a post sees them: the records of one or more topics, looked up by key, with what is wrong said in words.

A key is looked up in the post's own topics first; `topic/key` names another topic's record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

from experiments.kit.record import Claim, Fact, FigureRecord
from experiments.kit.results import Results, Run, load_results
from experiments.kit.run import stale_reasons
from pipeline.project import Project

Record = TypeVar("Record", Fact, Claim, FigureRecord)


@dataclass(frozen=True)
class ResultSet:
    """All records of some topics at one budget, by key. `folders` are the topics' results as read from disk."""

    budget: str
    folders: tuple[Results, ...]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    figures: Mapping[str, FigureRecord] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)

    def nearest(self, key: str, table: Mapping[str, Record]) -> str:
        """The known key nearest to an unknown one, or ''."""
        found = get_close_matches(key, table, n=1, cutoff=0.5)
        return found[0] if found else ""

    def folder_of(self, record: Fact | Claim | FigureRecord) -> Results:
        """The results folder a record came from."""
        topic = record.study.partition("/")[0]
        return next(folder for folder in self.folders if folder.topic == topic)

    def problems(self) -> list[tuple[Results, str]]:
        """Files that do not match their run."""
        return [(folder, problem) for folder in self.folders for problem in folder.problems]


def topics_of(studies: Iterable[str]) -> list[str]:
    """The topic folders of studies `topic/name`, in order, once each."""
    return list(dict.fromkeys(study.partition("/")[0] for study in studies))


def load_result_set(project: Project, topics: Iterable[str], budget: str, others: Iterable[str] = ()) -> ResultSet:
    """Read the topics' results at a budget; `others` (earlier posts' topics) are reachable as `topic/key` only."""
    facts: dict[str, Fact] = {}
    claims: dict[str, Claim] = {}
    figures: dict[str, FigureRecord] = {}
    runs: dict[str, Run] = {}
    folders = []
    own = list(topics)
    for topic in [*own, *(t for t in others if t not in own)]:
        loaded = load_results(project.root, topic, budget)
        folders.append(loaded)
        runs.update(loaded.runs)
        for prefix in ("", f"{topic}/") if topic in own else (f"{topic}/",):
            facts.update({prefix + key: record for key, record in loaded.records.facts.items()})
            claims.update({prefix + key: record for key, record in loaded.records.claims.items()})
            figures.update({prefix + key: record for key, record in loaded.records.figures.items()})
    return ResultSet(budget, tuple(folders), facts, claims, figures, runs)


def stale_studies(project: Project, results: ResultSet) -> dict[str, list[str]]:
    """Studies whose results no longer match their code or libraries, with the reasons."""
    stale = {}
    for name, run in results.runs.items():
        try:
            folder = next(folder for folder in results.folders if folder.runs.get(name) is run)
            reasons = stale_reasons(name, results.budget, project.root, results=folder)
        except (FileNotFoundError, SyntaxError) as error:
            reasons = [f"its code cannot be read: {error}"]
        if reasons:
            stale[name] = reasons
    return stale
