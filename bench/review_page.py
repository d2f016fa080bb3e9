"""How long the review page takes, in Chromium, on a copy of this project: `python -m bench.review_page [SLUG]`.

Opens the page, saves an edit with a sentence never seen before, approves, and repeats; prints medians of wall time and,
because a busy machine stretches those, the processor time the server used. The project itself is not touched.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.project import find_project
from pipeline.review_app.server import serve
from tests.chromium import CHROMIUM_FLAGS, find_chromium

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5


def main(slug: str) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        for name in ("notes", "experiments", "drafts", "site", "pipeline/theme"):
            shutil.copytree(ROOT / name, root / name)
        for name in ("mkdocs.yml", "pyproject.toml", ".forge/observations.json"):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        started = threading.Event()
        held: dict[str, Any] = {}

        def ready(server: object, address: str) -> None:
            held.update(server=server, address=address)
            started.set()

        serving = threading.Thread(target=lambda: serve(find_project(root), "small", "bench", ready=ready))
        serving.start()
        started.wait()
        time.sleep(1)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
                measure(browser.new_page(viewport={"width": 1440, "height": 900}), held["address"], slug)
                browser.close()
        finally:
            held["server"].should_exit = True
            serving.join()


def measure(page: Any, address: str, slug: str) -> None:
    """Drive the page and print one line a step."""
    page.set_default_timeout(300_000)
    page.goto(address)
    review = f"{page.url.rstrip('/')}/review/{slug}"

    def shown() -> None:
        for edition in ("scientist", "manager"):
            page.frame_locator(f"#frame-{edition}").locator("h1").first.wait_for()

    def edit(number: int) -> None:
        text = page.locator("#text-scientist")
        text.fill(f"{text.input_value().rstrip()}\n\nOne more remark about maps and roads, {'abcdefgh'[number]}.\n")

    def press(button: str) -> None:
        page.locator(f"button[value='{button}']").click(no_wait_after=True)
        page.wait_for_selector(".notice.done")

    def decided(number: int) -> None:
        edit(number + ROUNDS - 2)
        press("save:scientist")
        shown()
        for box in page.get_by_label("only explains").all():
            box.check()

    def opened(number: int) -> None:
        page.goto(review, wait_until="commit")
        page.wait_for_selector("#decide")

    line("first look: every sentence is scored for the review queue", lambda n: None, opened, rounds=1)
    line("page: findings, values, changes, decision", lambda n: None, opened)
    line("page, both editions rendered", lambda n: page.goto("about:blank"), lambda n: (opened(n), shown()))
    line("save and check", lambda n: (shown(), edit(n)), lambda n: press("save:scientist"))
    line("approve", decided, lambda n: press("approve:scientist"), rounds=3)


def line(name: str, before: Callable[[int], object], step: Callable[[int], object], rounds: int = ROUNDS) -> None:
    """Time a step some rounds and print its medians."""
    walls, cpus = [], []
    for number in range(rounds):
        before(number)
        wall, cpu = time.perf_counter(), time.process_time()
        step(number)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    print(
        f"{name}: {statistics.median(walls):.2f} s (processor {statistics.median(cpus):.2f} s), n={rounds}", flush=True
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.review_page", description="How long the review page takes.")
    parser.add_argument("slug", nargs="?", default="decision-making-101", metavar="SLUG")
    chosen = parser.parse_args()
    if not (ROOT / "drafts" / chosen.slug).is_dir():
        parser.error(f"no post {chosen.slug}; drafts/ has {', '.join(sorted(p.name for p in ROOT.glob('drafts/*/')))}")
    main(chosen.slug)
