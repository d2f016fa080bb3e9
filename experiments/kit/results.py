"""A results folder: what one topic's studies left behind at one budget, read and written as a whole.

`run.json` is written last and holds the hash of every other file, so a reader can tell a finished folder from one
that was interrupted or edited by hand: `Results.problems` says which file. Reading imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiments.kit.files import atomic_write, json_lines_object, sha256, write_if_changed
from experiments.kit.record import (
    Claim,
    Fact,
    FigureRecord,
    Records,
    claim_from_json,
    fact_from_json,
    figure_from_json,
    to_json,
)

RECORD_FILES = ("facts.json", "claims.json", "figures.json")


@dataclass(frozen=True)
class Run:
    """One execution of a study at one budget. `code` and `record_code` map definitions to hashes (`codehash`):
    those behind the measurements, and those that only turn them into records."""

    id: str
    study: str
    budget: str
    title: str
    question: str
    limits: tuple[str, ...]
    points: int
    seeds: int
    seconds: float
    started: str
    commit: str | None
    dirty: bool
    code: Mapping[str, str]
    record_code: Mapping[str, str]
    libraries: Mapping[str, str]
    python: str
    machine: str
    tracked: str = ""


@dataclass
class Results:
    """A topic's records at one budget. `problems` lists files that do not match `run.json`, in words."""

    topic: str
    budget: str
    folder: Path
    runs: dict[str, Run] = field(default_factory=dict)
    records: Records = field(default_factory=Records)
    files: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def results_folder(root: Path, topic: str, budget: str) -> Path:
    """`experiments/<topic>/results/<budget>` under the repository root."""
    return root / "experiments" / topic / "results" / budget


def _read_object(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{path.name} is missing")
        return {}
    except (ValueError, UnicodeDecodeError) as error:
        problems.append(f"{path.name} is not JSON: {error}")
        return {}
    if not isinstance(loaded, dict):
        problems.append(f"{path.name} is not an object")
        return {}
    return loaded


def load_results(root: Path, topic: str, budget: str) -> Results:
    """Read a results folder. Never raises on bad content: what cannot be used is named in `problems`."""
    folder = results_folder(root, topic, budget)
    loaded = Results(topic, budget, folder)
    if not folder.is_dir():
        return loaded
    run_file = _read_object(folder / "run.json", loaded.problems)
    loaded.files = dict(run_file.pop("files", {}))
    for name, entry in run_file.items():
        try:
            loaded.runs[name] = Run(**{**entry, "limits": tuple(entry.get("limits", ()))})
        except TypeError as error:
            loaded.problems.append(f"run.json, {name}: {error}")
    tables: tuple[tuple[str, dict[str, Any], Callable[[str, Mapping[str, Any]], Any]], ...] = (
        ("facts.json", loaded.records.facts, fact_from_json),
        ("claims.json", loaded.records.claims, claim_from_json),
        ("figures.json", loaded.records.figures, figure_from_json),
    )
    for name, into, build in tables:
        for key, entry in _read_object(folder / name, loaded.problems).items():
            try:
                into[key] = build(key, entry)
            except (TypeError, ValueError) as error:
                loaded.problems.append(f"{name}, {key}: {error}")
    for name, digest in loaded.files.items():
        path = folder / name
        if not path.is_file():
            loaded.problems.append(f"{name} is missing")
        elif sha256(path.read_bytes()) != digest:
            loaded.problems.append(f"{name} does not match run.json: the run was interrupted or edited by hand")
    loaded.problems = list(dict.fromkeys(loaded.problems))
    return loaded


def save_results(results: Results) -> None:
    """Write records and then `run.json` with the hash of every file a record names. Files of figures and series must
    be in place; files nothing names any more are removed last."""
    folder, records = results.folder, results.records
    tables: tuple[tuple[str, Mapping[str, Fact | Claim | FigureRecord]], ...] = (
        ("facts.json", records.facts),
        ("claims.json", records.claims),
        ("figures.json", records.figures),
    )
    files: dict[str, str] = {}
    for name, table in tables:
        text = json_lines_object({key: to_json(record) for key, record in table.items()})
        write_if_changed(folder / name, text)
        files[name] = sha256(text)
    for figure in records.figures.values():
        for name, digest in figure.files.items():
            files[f"figures/{figure.key}.{name}"] = digest
        files[figure.series] = sha256((folder / figure.series).read_bytes())
    entries: dict[str, Any] = {name: asdict(run) for name, run in results.runs.items()}
    atomic_write(folder / "run.json", json_lines_object({**entries, "files": files}))
    results.files = files
    results.problems = []
    for path in [*folder.glob("figures/*"), *folder.glob("series/*")]:
        if str(path.relative_to(folder)) not in files:
            path.unlink()
