"""The bibliography as a whole: duplicates, ids that cannot be, keys nobody wrote; and, asked over HTTP, other works."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from experiments.kit.errors import CannotRun
from pipeline.bibliography import Use, check, same_work, uses
from pipeline.finding import Finding
from pipeline.lookup import compare
from pipeline.plan import load_plan
from pipeline.sources import Source, load_sources, parse_sources
from pipeline.vault import Vault
from tests.pipeline.plan_vault import write_plan

FILE = "notes/references.bib"


def entry(key: str = "a2017", at: str = "misc", **fields: str) -> str:
    given = {"author": "Vaswani, Ashish", "title": f"The title of {key} alone", "year": "2017", "kind": "paper"}
    lines = (f"  {name} = {{{value}}},\n" for name, value in (given | fields).items() if value)
    return f"@{at}{{{key},\n{''.join(lines)}}}\n"


def sources(*entries: str) -> dict[str, Source]:
    return parse_sources("\n".join(entries), FILE)[0]


def told(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.check.removeprefix("sources."), f.key) for f in found]


@pytest.mark.parametrize(
    ("fields", "check_id", "severity", "says"),
    [
        ({"eprint": "1706.3762x", "archiveprefix": "arXiv"}, "arxiv", "error", "'1706.3762x' is no arXiv id"),
        ({"eprint": "1713.03762", "archiveprefix": "arXiv"}, "arxiv", "error", "is no arXiv id"),
        ({"eprint": "2306.03762", "archiveprefix": "arXiv"}, "year", "warning", "arXiv has 2306.03762 from 2023"),
        ({"eprint": "1706.03762", "archiveprefix": "arXiv", "url": "https://arxiv.org/pdf/1706.09999.pdf"}, "arxiv",
         "error", "the address leads to arXiv 1706.09999"),
        ({"doi": "11.1038/nature14236"}, "doi", "error", "is no DOI"),
        ({"url": "htp:/example"}, "url", "error", "is no address"),
        ({"year": "2099"}, "year", "error", "the year 2099 cannot be"),
        ({"kind": "papper"}, "kind", "error", "'papper' is no kind"),
        ({"kind": "video"}, "no-link", "warning", "a video without an address"),
        ({"remark": "It leads elsewhere."}, "mislabelled", "review", "It leads elsewhere."),
        ({"instead": "b2018"}, "unknown", "error", "instead names 'b2018'"),
    ],
)  # fmt: skip
def test_one_entry(fields: dict[str, str], check_id: str, severity: str, says: str) -> None:
    (found,) = check(sources(entry(**fields)), [Use("a2017", "n.md", 3)], FILE)
    assert (found.check, found.severity, found.file, found.line) == (f"sources.{check_id}", severity, FILE, 1)
    assert says in found.message and found.fix


def test_sound_entries_give_nothing() -> None:
    old = entry("old1999", eprint="hep-th/9901001", archiveprefix="arXiv", year="1999")
    new = entry("new2017", eprint="1706.03762v5", archiveprefix="arXiv", url="https://arxiv.org/abs/1706.03762")
    kept = sources(old, new, entry("doi2015", at="article", doi="https://doi.org/10.1038/nature14236"))
    assert check(kept, [Use(key, "n.md", 1) for key in kept], FILE) == []


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ({"doi": "10.1/ABC"}, {"doi": "https://doi.org/10.1/abc"}, ""),
        ({"doi": "10.1234/ABC"}, {"doi": "https://doi.org/10.1234/abc"}, "DOI"),
        ({"eprint": "1706.03762"}, {"url": "https://arxiv.org/pdf/1706.03762v2.pdf"}, "arXiv id"),
        ({"url": "https://www.distill.pub/"}, {"url": "http://distill.pub"}, "address"),
        ({"title": "{Q}-learning, a survey"}, {"title": "Q-Learning: A Survey"}, "title"),
        ({"title": "Q"}, {"title": "q"}, ""),
    ],
)  # fmt: skip
def test_duplicates_are_told_once(one: dict[str, str], other: dict[str, str], what: str) -> None:
    kept = sources(entry("a", **one), entry("b", **other))
    found = [f for f in check(kept, [Use("a", "n", 1), Use("b", "n", 1)], FILE) if f.check == "sources.duplicate"]
    if what or one.get("doi"):
        assert [(f.key, f.message) for f in found] == [("b", f"b: has the {what or 'DOI'} of a")]
        assert same_work(kept["b"], {"a": kept["a"]}) == ("a", what or "DOI")
    else:
        assert found == []


def test_unknown_and_unused_keys(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    write_plan(notes)
    (notes / "free.md").write_text("As {cite}`vaswani2018, sec. 3` said,\nand ``{cite}`` is a role.\n")
    (tmp_path / "drafts" / "heads").mkdir(parents=True)
    (tmp_path / "drafts" / "heads" / "scientist.md").write_text("See {cite}`only2020|name`.")
    kept = sources(entry("vaswani2017"), entry("only2020", year="2020"), entry("idle"))
    vault = Vault.load(notes)
    found = check(kept, uses(vault, load_plan(vault)[0], tmp_path / "drafts"), FILE)
    unknown = [(f.file, f.line, f.key, f.fix) for f in found if f.check == "sources.unknown"]
    assert ("notes/free.md", 1, "vaswani2018", "did you mean 'vaswani2017'?") in unknown
    assert ("notes/roadmap/1.1-coins.md", 16, "feller1968", "add it: forge resource add --key feller1968") in unknown
    assert {(f.file, key) for f in found for key in [f.key] if f.check == "sources.unused"} == {(FILE, "idle")}


def test_the_projects_own_bibliography() -> None:
    root = Path(__file__).parents[2]
    kept, findings = load_sources(root / "notes" / "references.bib")
    vault = Vault.load(root / "notes")
    findings += check(kept, uses(vault, load_plan(vault)[0], root / "drafts"), FILE)
    assert [str(f) for f in findings if f.severity != "review"] == []


# Over HTTP, from a server on this machine

ARXIV = {
    "1706.03762": ("Attention Is All You Need", "Ashish Vaswani"),
    "2401.01045": ("Something\n  Else", "Ann Other"),
}
CROSSREF = {"10.1038/nature14236": {"title": ["Human-level control"], "author": [{"family": "Mnih"}]}}


class Service(BaseHTTPRequestHandler):
    """Answers as arXiv's export API and Crossref do, with the little they know."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/arxiv":
            ids = parse_qs(parts.query)["id_list"][0].split(",")
            entries = "".join(
                f"<entry><id>http://arxiv.org/abs/{i}v7</id><title>{ARXIV[i][0]}</title>"
                f"<author><name>{ARXIV[i][1]}</name></author></entry>"
                for i in ids
                if i in ARXIV
            )
            self.reply(200, f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>')
        elif parts.path == "/broken":
            self.reply(200, "<html>busy")
        elif parts.path.startswith("/works/") and unquote(parts.path[7:]) in CROSSREF:
            self.reply(200, json.dumps({"message": CROSSREF[unquote(parts.path[7:])]}))
        else:
            self.reply(503 if parts.path == "/down" else 404, "no")

    def reply(self, code: int, text: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def online(service: str, *entries: str) -> tuple[list[Finding], int]:
    return compare(sources(*entries).values(), FILE, arxiv=f"{service}/arxiv", crossref=f"{service}/works")


def test_the_same_works_give_nothing(service: str) -> None:
    attention = {"eprint": "1706.03762", "archiveprefix": "arXiv", "title": "Attention is {All} you need"}
    mnih = {"doi": "10.1038/nature14236", "title": "Human-level control: through deep RL", "author": "Mnih, Volodymyr"}
    assert online(service, entry("a", **attention), entry("b", **mnih), entry("c")) == ([], 2)


def test_other_works_are_named(service: str) -> None:
    wrong = {"eprint": "2401.01045", "archiveprefix": "arXiv", "title": "A Survey of Preferences", "author": "Who, X"}
    unknown = {"eprint": "2402.99999", "archiveprefix": "arXiv"}
    found, compared = online(service, entry("a", **wrong), entry("b", **unknown), entry("c", doi="10.9999/none"))
    assert compared == 3
    assert told(found) == [("other-title", "a"), ("other-author", "a"), ("not-found", "b"), ("not-found", "c")]
    assert "arXiv 2401.01045 is “Something Else”, not “A Survey of Preferences”" in found[0].message


def test_without_a_network_it_says_so(service: str) -> None:
    listed = list(sources(entry("a", eprint="1706.03762", archiveprefix="arXiv")).values())
    for address, says in (("http://127.0.0.1:1/x", "cannot be reached"), (f"{service}/down", "answered 503"),
                          (f"{service}/broken", "no Atom feed")):  # fmt: skip
        with pytest.raises(CannotRun, match=says):
            compare(listed, FILE, arxiv=address)
