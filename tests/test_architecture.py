"""The flow goes one way: no module imports from a later stage, experiments know nothing of the pipeline."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Stages in the order the data flows. A module may import from its own stage or an earlier one.
STAGES: tuple[tuple[str, ...], ...] = (
    ("project", "finding", "secrets"),
    ("yamlmap", "sentences", "obsidian", "markdown", "embeds", "vault", "plan", "sources"),
    ("properties", "progress", "redate", "graph", "agenda", "materials", "calendar"),
    ("bibliography", "lookup", "additions", "counts"),
    ("results", "listings"),
    ("earlier", "evidence"),
    ("prompt",),
    ("transaction", "merge", "drafts"),
    ("asked",),
    ("writers",),
    ("render", "page"),
    ("checks",),
    (
        "reopened",
        "review",
    ),
    ("own_pages", "measured", "cards", "publish"),
    ("mathext", "site", "preview"),
    ("drafting", "spending"),
    ("weekly", "settled", "status", "why"),
    ("review_app",),
    ("cli",),
)
ORDER = {name: number for number, stage in enumerate(STAGES) for name in stage}


def imported(path: Path) -> set[str]:
    """Dotted names a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


PIPELINE = sorted((ROOT / "pipeline").rglob("*.py"))
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.py"))


def stage(path: Path) -> str:
    """`checks` for pipeline/checks/roles.py, `render` for pipeline/render.py."""
    return path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py")


def test_every_module_has_a_stage() -> None:
    assert {stage(p) for p in PIPELINE} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", PIPELINE, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_imports_from_a_later_stage(path: Path) -> None:
    if path.parent == ROOT / "pipeline" and path.stem == "__init__":
        return
    mine = ORDER[stage(path)]
    later = {
        name for name in imported(path) if name.startswith("pipeline.") and ORDER.get(name.split(".")[1], 0) > mine
    }
    assert later == set()


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_experiments_know_nothing_of_the_pipeline(path: Path) -> None:
    names = imported(path)
    assert not {name for name in names if name.startswith("pipeline")}
    if path.parent.name == "kit":
        assert not {name for name in names if name.startswith("experiments.week")}, "the kit holds nothing of a week"


def test_nothing_runs_at_import() -> None:
    """Every module imports without output and without touching the working directory."""
    modules = [
        str(p.relative_to(ROOT).with_suffix("")).replace("/", ".")
        for p in (*PIPELINE, *EXPERIMENTS)
        if p.stem != "__init__" and p.stem != "__main__"
    ]
    script = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-c", script, *modules], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
