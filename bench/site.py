"""The site's numbers: time to build and preview, size of the search index, bytes of a first view, Lighthouse.

    python -m bench.site build --posts 40 200 1000    time, peak memory and search index of a site of so many posts
    python -m bench.site build --plain …              the same posts by plain MkDocs Material: to compare with
    python -m bench.site preview                      the preview of what waits, checks included
    python -m bench.site weight                       what Chromium fetches for a first view, as a server sends it
    python -m bench.site lighthouse --module DIR      Lighthouse, median of three (DIR holds node_modules/lighthouse)

Synthetic posts are made from the published ones: their sections, figures, formulas, values, listings, sources and
appendix, with other words drawn from their vocabulary and longer formulas made unique, so that neither gzip nor the
cache of formulas flatters the result. A Scientist post has about 3,200 words, a Manager post about 1,200: 2,200 on
average. That is the `real` shape; `baseline` cuts each post to what the baseline's had: 12 formulas, 3 figures, 2
listings, 6 sources, 6 rows of the appendix.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import gzip
import http.server
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).parents[1]
EDITIONS = ("scientist", "manager")
WORDS = (2600, 3800)  # of a Scientist post; the Manager post tells the same sections
TOPICS = [
    f"topic {name}" for name in "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi".split()
]
COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".xml", ".txt"}


# ---- synthetic posts ------------------------------------------------------------------------------------------------


def make_site(root: Path, posts: int, shape: str = "real", seed: int = 1) -> None:
    """A project in `root` with `posts` posts of a shape, half of them in each edition."""
    chance = random.Random(seed)
    root.mkdir(parents=True)
    shutil.copy(REPO / "mkdocs.yml", root)
    shutil.copytree(REPO / "pipeline" / "theme", root / "pipeline" / "theme")
    shutil.copytree(REPO / "notes", root / "notes")
    shutil.copytree(REPO / "site", root / "site", ignore=shutil.ignore_patterns("posts", "figures", "data", "cards"))
    for file in (REPO / "experiments").glob("week*/*.py"):
        (root / file.relative_to(REPO)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / file.relative_to(REPO))
    models = {e: sorted((REPO / "site" / e / "posts").glob("*.md")) for e in EDITIONS}
    vocabulary = re.findall(r"[a-z]{3,}", " ".join(path.read_text() for paths in models.values() for path in paths))
    for number in range((posts + 1) // 2):
        title = " ".join(chance.sample(vocabulary, 5)).capitalize()
        told = _sections(models["scientist"][number % len(models["scientist"])], chance)
        for edition in EDITIONS:
            model = models[edition][number % len(models[edition])]
            _write_post(root, model, edition, number, title, told, shape, vocabulary, chance)


def _sections(model: Path, chance: random.Random) -> set[str]:
    """Ids of as many of a post's sections as give it the words it should have."""
    sections = re.split(r"\n(?=## )", model.read_text().partition("??? abstract")[0])[1:]
    told: set[str] = set()
    words, wanted = 0, chance.randint(*WORDS)
    for section in chance.sample(sections, len(sections)):
        if words < wanted:
            told.add(_id(section))
            words += len(section.split())
    return told


def _id(section: str) -> str:
    found = re.match(r"## .*\{#([\w-]+)\}", section)
    return found[1] if found else ""


def _write_post(
    root: Path, model: Path, edition: str, number: int, title: str, told: set[str], shape: str,
    vocabulary: list[str], chance: random.Random,
) -> None:  # fmt: skip
    slug = f"study-{number:04d}"
    _, head, text = model.read_text().split("---\n", 2)
    front = yaml.safe_load(head)
    text, _, appendix = text.partition('??? abstract "How this was measured"')
    text, notes = _without_footnotes(text)
    lead, *sections = re.split(r"\n(?=## )", text)
    kept = [lead, *(section for section in sections if _id(section) in told)]
    body = "\n".join(_other_words(part, vocabulary, chance) for part in kept)
    body = re.sub(r"\[(Figure \d+)\]\(#[^)]*\)", r"\1", body)
    body = re.sub(r"(?<!\$)\$([^$\n]{12,})\$(?!\$)", rf"$\1 \\vphantom{{{number}}}$", body)
    body = re.sub(r"\$\$\n(.*?)\n\$\$", rf"$$\n\\vphantom{{{number}}} \1\n$$", body, flags=re.S)
    if shape == "baseline":
        body, notes, appendix = _as_in_the_baseline(body, notes, appendix)
    body = _own_figures(body, root, edition, slug)
    cited = dict.fromkeys(re.findall(r"\[\^([\w-]+)\]", body))
    body += "".join(f"\n[^{key}]: {notes[key]}\n" for key in cited if key in notes)
    front |= {
        "title": title, "slug": slug, "pair": slug, "week": number // 2 + 1,
        "date": datetime.date(2026, 11, 1) - datetime.timedelta(days=3 * number),
        "tags": sorted({chance.choice(TOPICS[: 2 + number % 12]) for _ in range(4)}),
    }  # fmt: skip
    page = f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n\n{body}\n"
    if appendix:
        page += f'\n??? abstract "How this was measured"{appendix}'
    path = root / "site" / edition / "posts" / f"{slug}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page)
    for folder, suffix in (("data", ".json"), ("cards", ".png")):
        source = REPO / "site" / "assets" / folder / edition / f"{model.stem}{suffix}"
        target = root / "site" / "assets" / folder / edition / f"{slug}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


PLAIN = """\
site_name: plain
docs_dir: docs
site_dir: public
theme: {name: material, font: false}
plugins:
  - search
  - blog: {blog_dir: blog, post_url_format: "{slug}", archive_date_format: MMMM yyyy}
  - tags
markdown_extensions:
  - admonition
  - attr_list
  - footnotes
  - md_in_html
  - tables
  - toc: {permalink: true}
  - pymdownx.arithmatex: {generic: true}
  - pymdownx.details
  - pymdownx.highlight
  - pymdownx.superfences
"""
"""What the baseline built with: one blog with archive and categories, search, tags; formulas are left to a script."""


def make_plain(root: Path) -> None:
    """Turn a project of `make_site` into one of plain MkDocs Material with the same posts."""
    (root / "mkdocs.yml").write_text(PLAIN)
    posts = root / "docs" / "blog" / "posts"
    posts.mkdir(parents=True)
    (posts.parent / "index.md").write_text("# Blog\n")
    for edition in EDITIONS:
        for path in sorted((root / "site" / edition / "posts").glob("*.md")):
            _, head, text = path.read_text().split("---\n", 2)
            front = yaml.safe_load(head)
            slug = f"{edition}-{front['slug']}"
            kept = {"title": front["title"], "slug": slug, "date": front["date"], "tags": front["tags"],
                    "categories": front["tags"][:1]}  # fmt: skip
            (posts / f"{slug}.md").write_text(f"---\n{yaml.safe_dump(kept)}---\n{text}")
    shutil.move(root / "site" / "assets", root / "docs" / "assets")
    shutil.rmtree(root / "site")


def _as_in_the_baseline(body: str, notes: dict[str, str], appendix: str) -> tuple[str, dict[str, str], str]:
    """A post cut to the counts of the baseline's."""

    def first(count: int, pattern: str, text: str, instead: str = "") -> str:
        seen = iter(range(10**6))
        return re.sub(pattern, lambda m: m[0] if next(seen) < count else instead, text, flags=re.S | re.M)

    body = first(12, r"\$\$.*?\$\$|\$[^$\n]+\$", body, "this")
    body = first(3, r"^<figure.*?</figure>\n", body)
    body = first(2, r"^```.*?^```\n", body)
    notes = dict(list(notes.items())[:6])
    body = re.sub(r"\[\^([\w-]+)\]", lambda m: m[0] if m[1] in notes else "", body)
    return body, notes, first(8, r"^    \|.*?\n", appendix)


def _without_footnotes(text: str) -> tuple[str, dict[str, str]]:
    notes = dict(re.findall(r"^\[\^([\w-]+)\]: (.*)$", text, re.M))
    return re.sub(r"^\[\^[\w-]+\]: .*\n?", "", text, flags=re.M), notes


def _other_words(part: str, vocabulary: list[str], chance: random.Random) -> str:
    """The part with new words in its headings and in paragraphs that are prose alone."""

    def swap(line: str) -> str:
        return re.sub(r"\b[a-z]{3,}\b", lambda _: chance.choice(vocabulary), line)

    lines, fence = [], False
    for line in part.split("\n"):
        fence ^= line.startswith("```")
        if not fence and line.startswith("## "):
            words, _, anchor = line.partition(" {#")
            lines.append(f"{swap(words)} {{#{anchor}" if anchor else swap(words))
        elif not fence and re.match(r"[A-Z\"]", line) and not re.search(r"[$<\[`{|\\]", line):
            lines.append(swap(line))
        else:
            lines.append(line)
    return "\n".join(lines)


def _own_figures(body: str, root: Path, edition: str, slug: str) -> str:
    """Every post has figures of its own, as in a real site."""

    def copy(match: re.Match[str]) -> str:
        name = f"assets/figures/{edition}-{slug}/{Path(match[1]).name}"
        target = root / "site" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(REPO / "site" / match[1], target)
        return f"](../../{name}"

    return re.sub(r"\]\(\.\./\.\./(assets/figures/[^)#]+)", copy, body)


# ---- measuring ------------------------------------------------------------------------------------------------------


def measure_build(posts: int, repeats: int, shape: str, plain: bool = False) -> dict[str, Any]:
    """Build a synthetic site in a process of its own; the best of `repeats` (other programs only make it slower)."""
    command = ["mkdocs", "build", "--quiet"] if plain else ["pipeline.cli.main", "site", "build"]
    # Python keeps compiled modules, ours as MkDocs'; some machines tell it not to.
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables |= {"PYTHONPATH": str(REPO), "NO_MKDOCS_2_WARNING": "1"}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        make_site(root, posts, shape)
        if plain:
            make_plain(root)
        seconds, processor = [], []
        for _ in range(repeats):
            started, used = time.perf_counter(), _processor_time()
            done = subprocess.run(
                [sys.executable, "-m", *command], cwd=root, env=variables, capture_output=True, text=True
            )
            seconds.append(time.perf_counter() - started)
            processor.append(_processor_time() - used)
            if done.returncode:
                raise SystemExit(f"the synthetic site does not build:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        index = (root / "public" / "search" / "search_index.json").read_bytes()
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {
            "posts": posts, "shape": shape, "by": "plain Material" if plain else "forge site build",
            "pages": sum(1 for _ in (root / "public").rglob("*.html")),
            "seconds": [round(each, 1) for each in seconds], "best_s": round(min(seconds), 1),
            "best_cpu_s": round(min(processor), 1), "peak_mib": round(peak),
            "search_index_kb_gzip": round(len(gzip.compress(index, 6)) / 1000, 1),
        }  # fmt: skip


def _processor_time() -> float:
    """Seconds of processor time of finished child processes: what a build takes of a machine it has to itself."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_preview(repeats: int, week: int) -> dict[str, Any]:
    """Checks of a week's drafts and the preview of them, as `forge week` does it last."""
    from experiments.kit.record import EDITIONS
    from pipeline import preview, site
    from pipeline.evidence import gather, open_vault
    from pipeline.project import find_project
    from pipeline.review import edition_state

    here = find_project(REPO)
    seconds, processor = [], []
    with tempfile.TemporaryDirectory(dir=here.scratch) as folder:
        for _ in range(repeats):
            started, used = time.perf_counter(), time.process_time()
            evidences, _ = gather(here, open_vault(here), week, here.settings.budget)
            states = [edition_state(here, evidence, edition) for evidence in evidences for edition in EDITIONS]
            pages, assets = preview.draft_pages(here, evidences, states)
            result = site.preview(here.root, pages, assets, Path(folder) / "preview")
            seconds.append(time.perf_counter() - started)
            processor.append(time.process_time() - used)
    return {"drafts": len(pages), "pages": result.pages, "seconds": [round(s, 2) for s in seconds],
            "best_s": round(min(seconds), 2), "best_cpu_s": round(min(processor), 2)}  # fmt: skip


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a local port, compressed as a server sends it."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            path = path / "index.html" if path.is_dir() else path
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", self.guess_type(str(path)))
            self.send_header("Cache-Control", "max-age=31536000")
            if path.suffix in COMPRESSED and "gzip" in self.headers.get("Accept-Encoding", ""):
                data = gzip.compress(data, 6)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def rich_post() -> str:
    """The published post with the largest Scientist page."""
    return max((REPO / "site" / "scientist" / "posts").glob("*.md"), key=lambda path: path.stat().st_size).stem


def measure_weight(public: Path) -> dict[str, Any]:
    """Bytes over the wire of a phone's first view, from Chromium's network log, by edition."""
    from playwright.sync_api import sync_playwright

    from tests.chromium import CHROMIUM_FLAGS, find_chromium

    out: dict[str, Any] = {"post": rich_post()}
    with served(public) as address, sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        for edition in EDITIONS:
            page = chromium.new_page(viewport={"width": 412, "height": 823})
            log = page.context.new_cdp_session(page)
            log.send("Network.enable")
            urls: dict[str, str] = {}
            sizes: dict[str, int] = {}
            log.on("Network.requestWillBeSent", lambda e, u=urls: u.update({e["requestId"]: e["request"]["url"]}))
            log.on("Network.loadingFinished", lambda e, s=sizes: s.update({e["requestId"]: e["encodedDataLength"]}))
            page.goto(f"{address}{edition}/{out['post']}/", wait_until="networkidle")
            files = {urls[key].removeprefix(address): round(size) for key, size in sizes.items() if key in urls}
            elsewhere = [url for url in urls.values() if not url.startswith((address, "data:"))]
            out[edition] = {"kib": round(sum(files.values()) / 1024, 1), "elsewhere": elsewhere, "files": files}
            page.close()
        chromium.close()
    return out


def measure_lighthouse(public: Path, module: Path, runs: int, slowdown: int) -> dict[str, Any]:
    """Lighthouse's mobile scores of the rich post in both editions: the median of `runs`."""
    from tests.chromium import find_chromium

    out: dict[str, Any] = {"post": rich_post()}
    with served(public) as address:
        for edition in EDITIONS:
            found = []
            for _ in range(runs):
                done = subprocess.run(
                    ["node", str(module / "node_modules/lighthouse/cli/index.js"), f"{address}{edition}/{out['post']}/",
                     "--output=json", "--quiet", "--only-categories=performance,accessibility,best-practices",
                     f"--throttling.cpuSlowdownMultiplier={slowdown}",
                     "--chrome-flags=--headless=new --no-sandbox --disable-gpu --host-resolver-rules="
                     "'MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'"],
                    env={**os.environ, "CHROME_PATH": str(find_chromium())}, capture_output=True, text=True,
                )  # fmt: skip
                if done.returncode:
                    raise SystemExit(done.stderr[-2000:])
                report = json.loads(done.stdout)
                audits = report["audits"]
                found.append(
                    {
                        **{name: round(100 * c["score"]) for name, c in report["categories"].items()},
                        "fcp_s": audits["first-contentful-paint"]["numericValue"] / 1000,
                        "lcp_s": audits["largest-contentful-paint"]["numericValue"] / 1000,
                        "tbt_ms": audits["total-blocking-time"]["numericValue"],
                        "cls": audits["cumulative-layout-shift"]["numericValue"],
                        "kib": audits["total-byte-weight"]["numericValue"] / 1024,
                        "failed": [
                            ref["id"]
                            for ref in report["categories"]["accessibility"]["auditRefs"]
                            if audits[ref["id"]]["score"] == 0
                        ],
                    }
                )
            middle = {k: round(statistics.median(f[k] for f in found), 3) for k in found[0] if k != "failed"}
            out[edition] = {**middle, "runs": [f["performance"] for f in found], "failed": found[0]["failed"]}
    return out


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.site", description="The site's numbers, as JSON.")
    parser.add_argument("what", choices=["build", "preview", "weight", "lighthouse"])
    parser.add_argument("--posts", type=int, nargs="+", default=[40, 200])
    parser.add_argument("--week", type=int, default=1)
    parser.add_argument("--shape", choices=["real", "baseline"], default="real")
    parser.add_argument("--plain", action="store_true", help="build with plain MkDocs Material instead")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--public", type=Path, default=REPO / "public", help="a built site (default: public/)")
    parser.add_argument("--module", type=Path, default=Path(), help="where `npm install lighthouse@12.2.3` was run")
    parser.add_argument("--slowdown", type=int, default=4, help="how much slower than this machine the phone is (4)")
    chosen = parser.parse_args()
    if chosen.what == "build":
        for posts in chosen.posts:
            print(json.dumps(measure_build(posts, chosen.repeats, chosen.shape, chosen.plain)), flush=True)
    elif chosen.what == "preview":
        print(json.dumps(measure_preview(chosen.repeats, chosen.week)))
    elif chosen.what == "weight":
        print(json.dumps(measure_weight(chosen.public), indent=1))
    else:
        print(json.dumps(measure_lighthouse(chosen.public, chosen.module, chosen.repeats, chosen.slowdown), indent=1))


if __name__ == "__main__":
    main()
