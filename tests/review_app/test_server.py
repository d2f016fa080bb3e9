"""`forge review` as a process: it prints one address, serves it, and ends on Ctrl-C without leaving anything."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.project import Project
from tests.review_app.conftest import SLUG


def start(project: Project, *words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    env.pop("DISPLAY", None)
    command = [sys.executable, "-m", "pipeline.cli.main", "review", "--by", "Ada", *words]
    return subprocess.Popen(
        command, cwd=project.root, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_the_command_serves_one_address_and_ends_clean(desk_project: Project) -> None:
    running = start(desk_project, SLUG, "--page")
    assert running.stdout is not None
    said, then = running.stdout.readline(), running.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/enter\?token=\S+)", said)
    assert found, said
    link = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
    link.request("GET", found[2])
    reply = link.getresponse()
    link.close()
    assert (reply.status, reply.headers["Location"]) == (303, f"/review/{SLUG}")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0 and err == "", err
    assert "what is decided or saved stays" in then
    assert not list(desk_project.scratch.glob("review-*"))


def test_an_unknown_post_is_named_before_anything_is_served(desk_project: Project) -> None:
    running = start(desk_project, "coin-pots", "--page")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 2 and "did you mean 'coin-post'?" in err and "http" not in out


def test_without_a_terminal_it_only_says_what_waits(desk_project: Project) -> None:
    running = start(desk_project)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0 and "coin-post · scientist: waiting" in out and "http" not in out
