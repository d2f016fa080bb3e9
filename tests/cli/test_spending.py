"""`forge draft --estimate`, `--budget-usd`, `--batch` and `forge cost` as a person meets them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from pipeline.project import Project
from tests.cli.test_commands import forge
from tests.writers.messages_server import Reply, Server, serve

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        running.answer = lambda request: Reply("Some words of an answer.")
        yield running


@pytest.fixture
def run(project: Project, server: Server) -> Run:
    return lambda *words: forge(*words, cwd=project.root)


def test_an_estimate_buys_nothing(run: Run, server: Server, project: Project) -> None:
    done = run("draft", "1", "--estimate")
    assert done.returncode == 0 and server.seen == [] and not (project.drafts / "coin-post").exists()
    assert "coin-post, scientist" in done.stdout and "price since 2026-10-07" in done.stdout
    told = json.loads(run("draft", "1", "--estimate", "--json").stdout)["estimate"]
    assert [row["edition"] for row in told["editions"]] == ["scientist", "manager"]
    assert 0 < told["likely_usd"] < told["worst_usd"]
    assert told["worst_usd"] == pytest.approx(sum(row["worst_usd"] for row in told["editions"]))
    assert (told["models"], told["price_since"]) == (["claude-sonnet-5-5"], "2026-10-07")
    assert "nothing to pay" in run("draft", "1", "--estimate", "--writer", "offline").stdout


def test_a_budget_stops_before_it_is_exceeded_and_a_larger_one_goes_on(run: Run, server: Server) -> None:
    done = run("draft", "1", "--budget-usd", "0.001")
    assert done.returncode == 2 and server.seen == []
    assert "of the budget of $0.0010" in done.stderr and "--budget-usd 0." in done.stderr
    server.answer = lambda request: Reply("Some words.", usage={"input_tokens": 10_000, "output_tokens": 5_000})
    done = run("draft", "1", "--budget-usd", "0.30")
    assert done.returncode == 2 and "paid so far: $0." in done.stderr
    sent = len(server.seen)
    assert sent > 0
    done = run("draft", "1", "--budget-usd", "20")
    assert done.returncode == 0 and "coin-post/manager.md: created by anthropic" in done.stdout
    asked = [json.dumps(request, sort_keys=True) for request in server.seen]
    assert len(asked) == len(set(asked)), "no request was sent twice"


def test_the_budget_can_be_a_setting(run: Run, server: Server, project: Project) -> None:
    (project.root / "pyproject.toml").write_text("[tool.forge]\nbudget_usd = 0.002\n")
    done = run("draft", "1")
    assert done.returncode == 2 and "of the budget of $0.0020" in done.stderr and server.seen == []


@pytest.mark.parametrize("amount", ["-1", "0", "nan", "much", "1e999999999"])
def test_an_amount_that_is_none_is_refused(run: Run, amount: str) -> None:
    done = run("draft", "1", "--budget-usd", amount)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_batch_goes_on_from_command_to_command(run: Run, server: Server) -> None:
    done = run("draft", "1", "--batch")
    assert done.returncode == 0 and "batch msgbatch_1 (2 calls, submitted" in done.stdout
    assert "next: forge draft 1 --batch" in done.stdout
    told = json.loads(run("draft", "1", "--batch", "--json").stdout)
    assert [each["id"] for each in told["batches"]] == ["msgbatch_1"] and told["drafts"] == []
    live = run("draft", "1")
    assert live.returncode == 2 and "batch msgbatch_1 is under way with this call" in live.stderr
    server.end_at_once = True
    server.end_batches()
    for _ in range(12):
        done = run("draft", "1", "--batch")
        if "created" in done.stdout:
            break
    assert "drafts/coin-post/scientist.md: created by anthropic" in done.stdout, done.stdout + done.stderr
    assert server.seen == []
    total = json.loads(run("cost", "--json").stdout)["total"]
    assert total["batched"] == total["calls"] > 0 and total["usd"] == total["usd_batched"] > 0


def test_batches_and_waiting_need_what_they_need(run: Run) -> None:
    done = run("draft", "1", "--batch", "--writer", "offline")
    assert done.returncode == 2 and "needs --writer anthropic" in done.stderr
    done = run("draft", "1", "--wait")
    assert done.returncode == 2 and "--wait goes with --batch" in done.stderr


def test_the_cost_is_reported(run: Run, server: Server, project: Project) -> None:
    assert "no calls on record" in run("cost").stdout
    server.queue = [Reply("Words.", cut=True, usage={"input_tokens": 1000})]
    assert run("draft", "1").returncode in (0, 1)
    text = run("cost").stdout
    assert "coin-post" in text and "claude-sonnet-5-5" in text and "possibly billed beside: $0.0020" in text
    told = json.loads(run("cost", "--week", "1", "--json").stdout)
    (row,) = told["rows"]
    assert (row["week"], row["post"], row["model"], row["possibly_billed_calls"]) == (
        1,
        "coin-post",
        "claude-sonnet-5-5",
        1,
    )
    assert row["usd"] == told["total"]["usd"] > 0 and row["calls"] == len(server.seen) - 1
    for path in (project.root / ".forge" / "calls").glob("*.json"):
        path.unlink()
    assert json.loads(run("cost", "--json").stdout)["total"] == told["total"], "the record outlives the log"
    assert "nothing was spent in week 2" in run("cost", "--week", "2").stdout


def test_an_unknown_model_is_an_error(run: Run, server: Server, project: Project) -> None:
    (project.root / "pyproject.toml").write_text('[tool.forge]\nanthropic_model = "claude-sonet-5-5"\n')
    for words in (["--estimate"], [], ["--batch"]):
        done = run("draft", "1", *words)
        assert done.returncode == 2 and "did you mean 'claude-sonnet-5-5'" in done.stderr
        assert "[[tool.forge.prices]]" in done.stderr
    assert server.paths == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('thinking = "adaptve"', "thinking = 'adaptve': did you mean 'adaptive'?"),
        ('anthropic_effort = "huge"', "anthropic_effort = 'huge': it is one of default, low"),
        ('cache_ttl = "10m"', "cache_ttl = '10m'"),
        ("deadline_seconds = 0", "deadline_seconds = 0: expected seconds"),
        ("budget_usd = -1.0", "budget_usd = -1.0: expected US dollars"),
        ("budget_usd = nan", "budget_usd = nan: expected US dollars"),
        ("repair_turns = -1", "repair_turns = -1: expected a number of turns"),
        ("fallback_models = [3]", "fallback_models = (3,): expected names of models"),
        ('fallback_models = "claude"', "fallback_models = 'claude': expected something like ()"),
        ("prices = [1]", "prices = (1,): expected tables"),
        ("fallback_model = []", "has no setting fallback_model; did you mean fallback_models?"),
        ('thinking = "disabled"', "claude-sonnet-5-5 cannot think as thinking = 'disabled' says"),
        ('thinking = "between_tools"\nanthropic_effort = "max"', "only up to anthropic_effort = 'high', not 'max'"),
        ('[[tool.forge.prices]]\nmodel = "x"', "[[tool.forge.prices]] number 1 lacks from"),
    ],
)
def test_wrong_settings_are_named(run: Run, server: Server, project: Project, line: str, why: str) -> None:
    (project.root / "pyproject.toml").write_text(f"[tool.forge]\n{line}\n")
    done = run("draft", "1", "--estimate")
    assert done.returncode == 2 and why in done.stderr and "Traceback" not in done.stderr
    assert server.paths == []
