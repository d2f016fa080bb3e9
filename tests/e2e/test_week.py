"""The whole loop on the real week 1 at smoke budget, in a copy of the repository: run, repeat, kill, publish."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.timing import cpu_seconds

pytestmark = pytest.mark.slow
LEFT_BEHIND = (".git", ".venv", ".forge", "public", "results", "drafts", "posts", "__pycache__", ".mypy_cache")


def copy(root: Path, target: Path) -> Path:
    """The repository without what a week makes: as a stranger would have it before the first run."""
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(*LEFT_BEHIND, "figures"))
    (target / "drafts").mkdir(exist_ok=True)
    # Approval refuses results of uncommitted code, so the copy is a repository of its own.
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "As found")):
        subprocess.run(["git", *words], cwd=target, check=True, capture_output=True)
    return target


def start(clone: Path, *words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(clone), "FORGE_ROOT": str(clone), "WANDB_MODE": "offline"}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", *words], cwd=clone, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def forge(clone: Path, *words: str) -> tuple[int, str]:
    process = start(clone, *words)
    out, err = process.communicate(timeout=400)
    return process.returncode, out + err


WEEK = ("week", "1", "--budget", "smoke", "--writer", "offline")


@pytest.fixture(scope="module")
def clone(root_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which week 1 was brought up to date once."""
    made = copy(root_path, tmp_path_factory.mktemp("clone") / "forge")
    code, said = forge(made, *WEEK)
    assert code == 0, said
    assert "created" in said and "preview:" in said
    return made


@pytest.fixture(scope="module")
def root_path() -> Path:
    return Path(__file__).resolve().parents[2]


def outcome(clone: Path) -> dict[str, str]:
    """What a week leaves, without what legitimately differs between two runs (times, dates, machine)."""
    kept = {str(p.relative_to(clone)): p.read_text() for p in sorted(clone.glob("drafts/*/*.md"))}
    for path in sorted(clone.glob("experiments/*/results/smoke/facts.json")):
        facts = json.loads(path.read_text())
        kept[str(path)[len(str(clone)) :]] = json.dumps(
            {key: fact["value"] for key, fact in facts.items() if not fact.get("machine")}, sort_keys=True
        )
    return kept


def test_two_posts_in_two_editions_and_a_preview(clone: Path) -> None:
    drafts = sorted(str(p.relative_to(clone / "drafts")) for p in clone.glob("drafts/*/*.md"))
    assert drafts == [
        "bellman-equations-explained/manager.md",
        "bellman-equations-explained/scientist.md",
        "decision-making-101/manager.md",
        "decision-making-101/scientist.md",
    ]
    page = (clone / ".forge" / "preview" / "scientist" / "decision-making-101.html").read_text()
    assert "Draft under review. Not published." in page and "kf-value" in page and "kf-figure" in page
    assert not (clone / "public").exists()
    assert list((clone / ".forge" / "wandb").rglob("*.wandb")), "every run is mirrored to W&B"


def test_nothing_changed_is_up_to_date_within_two_seconds(clone: Path) -> None:
    answers = []
    seconds = cpu_seconds(lambda: answers.append(forge(clone, *WEEK)))
    code, said = answers[0]
    assert code == 0 and "week 1 is up to date" in said
    assert "ran " not in said and "draft " not in said
    assert seconds <= 2.0, f"{seconds:.2f} s"


def test_a_killed_week_is_finished_by_the_next_call(clone: Path, root_path: Path, tmp_path: Path) -> None:
    expected = outcome(clone)
    draw = random.Random(1)
    victim = copy(root_path, tmp_path / "forge")
    for attempt in range(6):
        process = start(victim, *WEEK)
        time.sleep(draw.uniform(0.3, 5.0) + attempt)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    code, said = forge(victim, *WEEK)
    assert code == 0, said
    assert outcome(victim) == expected
    assert not [p for p in victim.rglob("*.tmp") if ".forge" not in p.parts and "results" not in p.parts]
    code, said = forge(victim, *WEEK)
    assert code == 0 and "up to date" in said


def test_approve_publish_and_build(clone: Path) -> None:
    for post in ("decision-making-101", "bellman-equations-explained"):
        code, said = forge(clone, "approve", post, "--by", "Ada", "--queue-read", "--budget", "smoke")
        assert code == 0, said
    code, said = forge(clone, "publish", "--budget", "smoke")
    assert code == 0 and said.count(": published") == 4, said
    code, said = forge(clone, "publish", "--check", "--budget", "smoke")
    assert code == 0, said
    code, said = forge(clone, "site", "build")
    assert code == 0, said
    html = (clone / "public" / "scientist" / "decision-making-101" / "index.html").read_text()
    assert "kf-value" in html and "Draft under review" not in html
