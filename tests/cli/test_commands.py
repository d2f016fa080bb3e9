"""The commands as a person meets them: help, exit codes, messages, speed, plain text when piped."""

from __future__ import annotations

import errno
import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main as program
from pipeline.cli.main import COMMANDS
from pipeline.project import Project
from tests.timing import cpu_seconds


def forge(*words: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as its own process, from the repository's code, in a project."""
    env = {**os.environ, "FORGE_ROOT": str(cwd), "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", *words],
        cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


SUBCOMMANDS = [[name] for name in COMMANDS] + [["site", "build"], ["site", "serve"], ["vault", "check"]]


@pytest.mark.parametrize("words", SUBCOMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(words: list[str], root: Path) -> None:
    done = forge(*words, "--help", cwd=root)
    assert done.returncode == 0
    assert "Example" in done.stdout and f"forge {' '.join(words)}" in done.stdout


def test_the_readme_names_every_command(root: Path) -> None:
    readme = (root / "README.md").read_text()
    missing = [name for name in COMMANDS if name not in readme]
    assert missing == []


def test_help_starts_fast(root: Path) -> None:
    def seconds(*words: str) -> float:
        run = functools.partial(subprocess.run, [sys.executable, *words], cwd=root, capture_output=True, check=True)
        return cpu_seconds(run)

    help_ = min(seconds("-m", "pipeline.cli.main", "--help") for _ in range(5))
    assert help_ < 0.15 + min(seconds("-c", "pass") for _ in range(5))


def test_nothing_heavy_is_imported_for_help_or_status(root: Path) -> None:
    script = (
        "import sys\nfrom pipeline.cli.main import main\nsys.argv = ['forge', 'status']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'wandb', 'anthropic', 'numpy', 'matplotlib', 'mkdocs'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_an_unknown_command_gets_the_nearest(root: Path) -> None:
    done = forge("stats", cwd=root)
    assert done.returncode == 2 and "did you mean `forge status`?" in done.stderr


def test_outside_a_project_says_so(tmp_path: Path) -> None:
    done = forge("status", cwd=tmp_path)
    assert done.returncode == 2 and "no Knowledge Forge project" in done.stderr and "Traceback" not in done.stderr


def test_a_loop_at_the_command_line(drafted: Project) -> None:
    root = drafted.root
    checked = forge("check", cwd=root)
    assert checked.returncode == 0 and "2 editions checked: 0 errors" in checked.stdout
    assert "\x1b[" not in checked.stdout
    assert forge("publish", cwd=root).returncode == 1
    undecided = forge("approve", "coin-post", "--by", "Ada", cwd=root)
    assert undecided.returncode == 2 and "2 sentences of the review queue undecided" in undecided.stderr
    assert (
        "We threw fair coins only, and a few of them fell off the table." in undecided.stderr
        and "--queue-read" in undecided.stderr
    )
    approved = forge("approve", "coin-post", "--by", "Ada", "--queue-read", cwd=root)
    assert approved.returncode == 0 and "coin-post · manager: approved by Ada" in approved.stdout
    published = forge("publish", cwd=root)
    assert published.returncode == 0 and "coin-post · scientist: published" in published.stdout
    assert forge("publish", "--check", cwd=root).returncode == 0
    status = json.loads(forge("status", "--json", cwd=root).stdout)
    assert [e["state"] for e in status[0]["editions"]] == ["published", "published"]
    page = root / "site" / "scientist" / "posts" / "coin-post.md"
    page.write_text(page.read_text().replace("forgets", "remembers"))
    refused = forge("publish", "--check", cwd=root)
    assert refused.returncode == 1 and "site/scientist/posts/coin-post.md" in refused.stdout


def test_the_sites_own_pages_are_approved_apart(drafted: Project) -> None:
    (drafted.site / "index.md").write_text("# Hello\n")
    unsaid = forge("publish", "--check", cwd=drafted.root)
    assert unsaid.returncode == 0 and "nobody approved the site's own files yet: index.md" in unsaid.stdout
    approved = forge("approve", "site", "--by", "Ada", cwd=drafted.root)
    assert approved.returncode == 0 and "site/index.md: approved by Ada" in approved.stdout
    assert forge("publish", "--check", cwd=drafted.root).stdout.startswith("0 published pages")
    (drafted.site / "index.md").write_text("# Hello, 98 times better\n")
    refused = forge("publish", "--check", cwd=drafted.root)
    assert refused.returncode == 1 and "site/index.md: error edited-page" in refused.stdout


def test_check_any_file_as_an_edition(drafted: Project, tmp_path: Path) -> None:
    text = tmp_path / "try.md"
    text.write_text("It shows 17 heads and `code`.\n")
    done = forge("check", str(text), "--post", "coin-post", "--edition", "manager", "--json", cwd=drafted.root)
    found = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {"typed-number", "manager-plain"} <= set(found)
    number = found["typed-number"]
    assert (number["line"], number["column"], number["severity"]) == (1, 10, "error")
    assert number["sentence"] and number["fix"]
    wrong = forge("check", str(text), "--post", "coin-pots", "--edition", "manager", cwd=drafted.root)
    assert wrong.returncode == 2 and "did you mean 'coin-post'?" in wrong.stderr
    unnamed = forge("check", str(text), cwd=drafted.root)
    assert unnamed.returncode == 2 and "--post SLUG" in unnamed.stderr


def test_facts_explain_where_a_value_came_from(project: Project) -> None:
    done = forge("facts", "coin.times", cwd=project.root)
    assert done.returncode == 0
    for piece in ("24.5", "ratio of coin.many, coin.few", "coin-small-0000", "experiments/toy/coin_study.py:20"):
        assert piece in done.stdout
    listed = json.loads(forge("facts", "--json", cwd=project.root).stdout)
    assert set(listed["facts"]) == {"coin.few", "coin.many", "coin.seconds", "coin.times"}
    wrong = forge("facts", "coin.tims", cwd=project.root)
    assert wrong.returncode == 2 and "did you mean coin.times?" in wrong.stderr


def test_review_without_a_terminal_lists_what_waits(drafted: Project) -> None:
    done = forge("review", cwd=drafted.root)
    assert done.returncode == 0 and "coin-post · scientist: waiting" in done.stdout and "forge approve" in done.stdout
    back = forge(
        "sendback", "coin-post", "--edition", "manager", "--reason", "Shorter.", "--by", "Ada", cwd=drafted.root
    )
    assert back.returncode == 0
    states = {row["edition"]: row["state"] for row in json.loads(forge("review", "--json", cwd=drafted.root).stdout)}
    assert states == {"scientist": "waiting", "manager": "sent-back"}


def test_an_unknown_budget_or_writer_is_refused(drafted: Project) -> None:
    done = forge("check", "--budget", "smal", cwd=drafted.root)
    assert done.returncode == 2 and "did you mean 'small'?" in done.stderr
    done = forge("draft", "1", "--writer", "ofline", "--again", cwd=drafted.root)
    assert done.returncode == 2 and "did you mean 'offline'?" in done.stderr


def at_a_terminal(keys: str, *words: str, cwd: Path, seconds: float = 120) -> str:
    """Run the command in a pseudo-terminal and type `keys`, each at the next prompt; the last one answers all further
    prompts. Returns the screen; fails when nothing is written for `seconds`."""
    import pty
    import select

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        env = {"FORGE_ROOT": str(cwd), "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PAGER": "cat"}
        os.execve(sys.executable, [sys.executable, "-m", "pipeline.cli.main", *words], {**os.environ, **env})
    screen, typed = b"", keys.split("|")
    try:
        while True:
            if not select.select([terminal], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                pytest.fail(f"the command waits for something:\n{screen.decode(errors='replace')}")
            screen += os.read(terminal, 4096)
            last = screen.rpartition(b"\n")[2]
            if b" > " in last or b"reason: " in last:
                os.write(terminal, f"{typed[0]}\n".encode())
                screen += b"\n"
                typed = typed[1:] or typed
    except OSError:  # the terminal closes with the command
        pass
    os.waitpid(pid, 0)
    return screen.decode(errors="replace")


def test_review_at_the_keyboard(drafted: Project) -> None:
    draft = drafted.drafts / "coin-post" / "scientist.md"
    good = draft.read_text()
    draft.write_text(good.replace("A fair coin forgets.", "A fair coin shows 98 heads."))
    screen = at_a_terminal(
        "d|a|q", "review", "coin-post", "--text", "--edition", "scientist", "--by", "Ada", cwd=drafted.root
    )
    assert "typed-number" in screen and "+A fair coin shows 98 heads." in screen
    assert "cannot be approved: 1 finding" in screen and screen.count("[q]uit") == 3, "a refusal keeps the session"
    draft.write_text(good)
    screen = at_a_terminal(
        "a|n|a|y|y", "review", "coin-post", "--text", "--edition", "scientist", "--by", "Ada", cwd=drafted.root
    )
    assert (
        "We threw fair coins only, and a few of them fell off the table." in screen
        and "nothing was recorded" in screen
        and "approved" in screen
    )
    screen = at_a_terminal("s|Say it shorter.", "review", "coin-post", "--text", "--by", "Ada", cwd=drafted.root)
    assert "sent back" in screen
    last = json.loads((drafted.drafts / "coin-post" / "reviews.jsonl").read_text().splitlines()[-1])
    assert (last["edition"], last["decision"], last["reason"]) == ("manager", "sent-back", "Say it shorter.")


def test_a_full_disk_is_told_and_no_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(program, "forge", full)
    with pytest.raises(SystemExit) as stop:
        program.main()
    said = capsys.readouterr().err
    assert stop.value.code == 2 and "No space left on device" in said and "fix: make room" in said
