"""The plan on the site: what its pages hold, what they must never hold, and that they build strictly and alike."""

from __future__ import annotations

import datetime
import html
import os
import re
from pathlib import Path

import markdown
import pytest

from pipeline import site
from pipeline.counts import count
from pipeline.plan import Topic
from pipeline.site import plan_pages
from pipeline.site.generated import Generated
from pipeline.site.plan_pages import draw, prose, references, view
from pipeline.site.shelf import fill_shelf
from tests.pipeline.plan_vault import BIB, write_plan
from tests.site.conftest import make_project

REPO = Path(__file__).parents[2]
SOURCES = (
    BIB
    + """
@book{feller1968,
  author = {Feller, William}, title = {An Introduction to $\\sigma$-Algebras | and more}, year = {1968},
  url = {https://example.org/feller},
  remark = {The plan calls it a film; it is a book.}, instead = {puterman1994}
}
@book{puterman1994, author = {Puterman, M. L.}, title = {Markov Decision Processes}, year = {1994}}
@misc{Feller1968, title = {A key that differs in its case}, url = {javascript:alert(1)}, kind = {tool}}
"""
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The fixture site with the small plan beside its own week."""
    root = make_project(tmp_path / "project")
    write_plan(root / "notes")
    (root / "notes" / "references.bib").write_text(SOURCES, encoding="utf-8")
    return root


def made(root: Path) -> dict[str, Generated]:
    return {page.path: page for page in plan_pages.pages(fill_shelf(root, root / "site", whole=True))}


def edit(root: Path, note: str, old: str, new: str) -> None:
    path = root / "notes" / note
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (note, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


# what there is


def test_the_plan_builds_strictly_with_every_page_in_its_place(root: Path) -> None:
    result = site.build(root)
    assert (result.ok, result.findings) == (True, []), site.describe(result)
    for page in (*view_pages(), "topics/attention.md", "topics/coins.md"):
        name = page.removesuffix("index.md").removesuffix(".md")
        assert (result.out / name / "index.html").is_file(), page
    home = (result.out / "index.html").read_text(encoding="utf-8")
    tabs = re.findall(r'md-tabs__link">\s*([^<]+?)\s*<', home)
    assert tabs == ["Home", "Scientist", "Manager", "Plan", "Bibliography", "Glossary", "About"]
    index = (result.out / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "topics/coins" not in index and "plan/roadmap" not in index
    assert not (root / "site" / "plan").exists() and not (root / "site" / "bibliography.md").exists()


def view_pages() -> list[str]:
    return [view.OVERVIEW, view.ROADMAP, view.SPRINT, view.LECTURES, view.COURSE, view.WEEKS, view.MAP, view.PROGRESS,
            view.BIBLIOGRAPHY, view.TOPICS]  # fmt: skip


def test_this_repositorys_whole_plan_is_shown() -> None:
    shelf = fill_shelf(REPO, REPO / "site", whole=True)
    pages = {page.path: page.text for page in plan_pages.pages(shelf)}
    assert shelf.plan is not None
    counted = count(shelf.plan, view.view_of(shelf, shelf.plan).sources)

    def headings(page: str, anchor: str) -> int:
        return len(re.findall(rf"^### .*{{#{anchor}-[\d-]+}}$", pages[page], re.M))

    assert headings(view.ROADMAP, "cluster") == counted["roadmap"]["clusters"] == 25
    assert headings(view.SPRINT, "session") == counted["sprint"]["sessions"] == 12
    assert headings(view.LECTURES, "lecture") == counted["lectures"]["lectures"] == 15
    assert headings(view.COURSE, "week") == counted["course"]["weeks"] == 12
    assert headings(view.WEEKS, "week") == counted["blog plan"]["weeks"] == 16
    assert headings(view.MAP, "session") == counted["roadmap"]["integration sessions"] == 6
    assert pages[view.BIBLIOGRAPHY].count("{ #source-") == counted["bibliography"]["sources"]
    assert pages[view.BIBLIOGRAPHY].count("kf-remark") == counted["bibliography"]["mislabelled in the plan"]
    folds = [int(n) for n in re.findall(r'\?\?\? kf-more "(\d+) resources?"', pages[view.ROADMAP])]
    assert sum(folds) == counted["roadmap"]["resources"]
    for _, post in shelf.plan.posts.values():
        assert prose.plain(post.title) in pages[view.WEEKS]


def test_a_cluster_shows_scope_times_pair_and_resources_by_kind(root: Path) -> None:
    text = made(root)[view.ROADMAP].text
    part = text[text.index("### 1.1 Coins {#cluster-1-1}") : text.index("## Phase 2")]
    assert "in progress" in part and "2-3 hours" in part and "12-15 min" in part and "track A" in part
    assert "Post: What a coin knows" in part
    assert "[2.1 Attention Mechanisms](#cluster-2-1) (primary here)" in part
    assert "[session 1](sprint.md#session-1)" in part
    assert '??? kf-more "3 resources"' in part and part.index("Primary") < part.index("Video")
    assert (
        "](<https://example.org/feller#page=4>), ch. 4 · [Feller (1968)](../bibliography.md#source-feller1968)" in part
    )
    assert "(the hard part; mislabelled: see the source)" in part
    assert "[Attention Is All You Need](<https://arxiv.org/abs/1706.03762>)" in part


def test_the_board_has_a_column_a_track_and_a_card_a_session(root: Path) -> None:
    edit(root, "sprint/session-02.md", "track: A\n", "")
    text = made(root)[view.SPRINT].text
    board = text[text.index('<div class="kf-board">') :].split("\n", 1)[0]
    columns = re.findall(r"<section .*?</section>", board)
    assert [column.count("<li>") for column in columns] == [1, 1]
    assert 'href="#session-1"' in columns[0] and "5&nbsp;Aug&nbsp;2025" in columns[0]
    assert "Without a track" in columns[1] and ">done</span>" in columns[1]
    assert "Target: [1.1 Coins](roadmap.md#cluster-1-1)" in text
    assert "- 120 min: Think" in text and "Everything from before" in text and "What is fair?" in text


def test_weeks_link_the_editions_that_are_out_and_only_those(root: Path) -> None:
    (root / "site" / "manager" / "posts" / "decision-making-101.md").unlink()
    text = made(root)[view.WEEKS].text
    assert "- Decision Making 101 ([Scientist](../scientist/posts/decision-making-101.md))\n" in text
    assert "[Manager](../manager/posts/optimal-decisions.md))" in text
    assert "- What a head sees, builds on [week 1](#week-1)\n" in text
    assert re.search(r'### Week 1: .*\n\n<span class="kf-state kf-state--in-progress">', text)


def test_a_topic_page_holds_everything_about_it(root: Path) -> None:
    text = made(root)["topics/attention.md"].text
    heads = ["# Attention", "## Clusters", "## Weeks", "## Sessions", "## Lectures", "## Course weeks", "## Sources"]
    at = [text.index(f"{head}") for head in heads if head != "## Sessions"]
    assert at == sorted(at) and "## Sessions" not in text  # "Heads" names no topic
    assert "[2.1 Attention Mechanisms](../plan/roadmap.md#cluster-2-1)" in text
    assert "[2. Attention](../plan/weeks.md#week-2), 12&nbsp;Aug&nbsp;2025" in text
    assert "[Attention Is All You Need](../bibliography.md#source-vaswani2017), 2017" in text
    assert "Also: self-attention\n" in text and "genai/attention" not in text


def test_topics_that_would_share_an_address_get_their_own() -> None:
    assert view.unique(["A b", "a-b", "index", "é/ü", "???", "!"]) == ["a-b", "a-b-2", "index-2", "é-ü", "x", "x-2"]


# the bibliography


def test_the_bibliography_says_what_cites_a_source(root: Path) -> None:
    note = root / "notes" / "lectures" / "02-attention.md"
    note.write_text(note.read_text() + "\nSee {cite}`puterman1994, ch. 6`. %% {cite}`vaswani2017` %%\n")
    text = made(root)[view.BIBLIOGRAPHY].text

    def entry(anchor: str) -> str:
        ends = text.index(f"{{ #{anchor} }}")
        return text[text.rindex("\n-   ", 0, ends) : ends]

    puterman = entry("source-puterman1994")
    assert "(scientist/posts/optimal-decisions.md)" in puterman, "a published post"
    assert "lecture [2](plan/lectures.md#lecture-2)" in puterman, "a note's text"
    vaswani = entry("source-vaswani2017")
    assert "week [2](plan/weeks.md#week-2)" in vaswani and "course week [1](plan/course.md#week-1)" in vaswani
    assert "lecture" not in vaswani, "a comment is private"
    feller = entry("source-feller1968")
    assert "Mislabelled in the plan: The plan calls it a film" in feller
    assert "Meant: [Markov Decision Processes](#source-puterman1994)" in feller
    assert "$\\sigma$&#45;Algebras &#124; and more" in feller
    assert "[the plan](plan/index.md)" in feller, "the document as a whole"
    assert "Cited by" not in entry("source-feller1968-2")


def test_only_the_web_is_linked_to(root: Path) -> None:
    text = "".join(page.text for page in made(root).values())
    assert "A key that differs in its case" in text and "javascript" not in text
    for address in ("", "ftp://example.org", "//example.org", "data:text/html,x", "JavaScript:alert(1)"):
        assert prose.web("x", address) == "x"
    assert prose.web("x", "https://e.org/a b|(c)>") == "[x](<https://e.org/a%20b%7C(c)%3E>)"


# what must never be there


def test_nothing_private_and_nothing_unpublished_leaks(root: Path) -> None:
    brief = 'brief: "SECRET-brief"\n    description: {scientist: SECRET-s, manager: SECRET-m}'
    edit(root, "plan/week-02.md", 'brief: "Begin with a bet."', brief)
    said = '"Self-attention %%SECRET-closed%% [[private/diary|heads]]": ["keys %%SECRET-open"]'
    edit(root, "plan/week-02.md", '"Self-attention": [queries, keys]', said)
    with (root / "notes" / "plan" / "week-02.md").open("a", encoding="utf-8") as week:
        week.write("\nSECRET-body %%SECRET-comment%%\n\n%%\nSECRET-block\n%%\n")
    edit(root, "roadmap/1.1-coins.md", "I have thrown some", "SECRET-box")
    edit(root, "roadmap/1.1-coins.md", 'blog: "What a coin knows"', 'blog: "What a coin <!-- SECRET-html --> knows"')
    edit(root, "roadmap/index.md", "why coins forget", "SECRET-gap")
    edit(root, "sprint/session-01.md", "A coin was thrown", "SECRET-criterion")
    edit(root, "lectures/01-coins.md", "A bet.", "SECRET-lecture")
    (root / "notes" / "diary.md").write_text("SECRET-diary on attention {cite}`vaswani2017`\n", encoding="utf-8")
    draft = root / "drafts" / "heads" / "scientist.md"
    draft.parent.mkdir(parents=True)
    draft.write_text("---\ntitle: SECRET-draft\n---\nSECRET-draft\n", encoding="utf-8")
    result = site.build(root)
    assert result.ok, site.describe(result)
    shown = ""
    for folder, _, files in os.walk(result.out):
        for file in files:
            raw = (Path(folder) / file).read_bytes()
            assert b"SECRET" not in raw and b"private/diary" not in raw, file
            shown += raw.decode("utf-8", "replace") if file.endswith(".html") else ""
    assert "What a head sees" in shown and "Self-attention heads" in shown and "What a coin knows" in shown


def test_a_preview_has_no_plan(root: Path) -> None:
    result = site.preview(root, {}, {}, root / ".forge" / "preview")
    assert result.ok, site.describe(result)
    assert not (result.out / "plan").exists() and not (result.out / "bibliography.html").exists()


def test_pages_are_dated_by_the_newest_publication_never_by_today(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoToday(datetime.date):
        @classmethod
        def today(cls) -> NoToday:
            raise AssertionError("a page asked for today")

    before = {path: page.text for path, page in made(root).items()}
    monkeypatch.setattr(datetime, "date", NoToday)
    after = {path: page.text for path, page in made(root).items()}
    assert after == before
    assert "As of 20&nbsp;Nov&nbsp;2026, the day of the newest publication." in before[view.OVERVIEW]


# texts


@pytest.mark.parametrize(
    "text",
    [
        "a *b* _c_ [d](e) `f` #g", "x < y & z > w", "$5 to $7", "- dash", "+ plus", "1. first", "2) second",
        "> quoted", "!!! note", "??? fold", ": definition", "a | b | c", "==not marked==", "{ .class }", "{{ jinja }}",
        "*[HTML]: x", "https://example.org/a_b_c", "<script>alert(1)</script>", "[^1]", "---", "= head", "~~~",
        "back\\slash", "π(a|s)",
    ],
)  # fmt: skip
def test_any_text_is_shown_as_it_stands(text: str) -> None:
    extensions = ["abbr", "admonition", "attr_list", "def_list", "footnotes", "md_in_html", "tables"]
    extensions += ["pymdownx.betterem", "pymdownx.details", "pymdownx.mark", "pymdownx.superfences"]
    for frame in ("- {}\n- other", "| a | b |\n| --- | --- |\n| {} | other |", "## {} {{#here}}"):
        out = markdown.markdown(frame.format(prose.plain(text)), extensions=extensions)
        inside = re.search(r"<(?:li|td|h2 id=\"here\")>(.*?)</(?:li|td|h2)>", out, re.S)
        assert inside, out
        assert html.unescape(inside[1]).strip() == text, out


def test_comments_and_links_in_properties_are_only_words() -> None:
    assert prose.said("a %%b%% c <!-- d --> [[x/y|z]] ![[w]]  %%never closed") == "a c z w"
    assert prose.titled("The $x_1^2$ of *it*") == "The $x_1^2$ of \\*it\\*"


def test_topics_in_a_line_keep_their_parts() -> None:
    assert prose.names((Topic("a", (Topic("b"), Topic("c", (Topic("d"),)))), Topic("e"))) == "a (b, c (d)), e"
    assert [prose.sentence(text) for text in ("So", "So?", "So.", "")] == ["So.", "So?", "So.", ""]


def test_nested_topics_are_a_nested_list() -> None:
    topics = [Topic("a", (Topic("b", (Topic("c"),)),)), Topic("d")]
    assert list(prose.nested(topics)) == ["- a", "    - b", "        - c", "- d"]


# pictures


def test_the_map_ties_what_the_notes_tie_and_says_it_in_words(root: Path) -> None:
    text = made(root)[view.MAP].text
    first, second = re.findall(r"<figure.*?</figure>", text, re.S)
    assert first.count("kf-draw__tie") == 1 and ">State<" in first and ">Context<" in first
    assert second.count("kf-draw__tie") == 1, "the session with a review on one side joins nothing"
    assert "1.1 Coins" in second and re.search(r">2\.1 Attention<.*>Mechanisms<", second)
    for figure in (first, second):
        assert re.search(r'role="img" aria-label="[^"]{20,}"', figure) and "#" not in re.sub(r"&#\d+;", "", figure)
    assert "| State | Context | Both are where one is |" in text
    assert "- 90 min: The first track\n" in text
    assert "Review of everything" in text[text.index("### 2. All of it {#session-2}") :]


def test_lines_of_the_map_end_in_the_middle_of_their_boxes() -> None:
    drawing = draw.two_columns(("L", "R"), ["a", "b", "c"], ["x"], [draw.Tie(2, 0, "7")])
    boxes = [(float(y), float(h)) for y, h in re.findall(r'<rect [^>]*y="([\d.]+)"[^>]*height="([\d.]+)"', drawing)]
    middles = [y + h / 2 for y, h in boxes]
    start, end = re.findall(r'd="M138 ([\d.]+)L222 ([\d.]+)"', drawing)[0]
    assert (float(start), float(end)) == (middles[2], middles[3]) and middles[3] == middles[1]
    assert ">7</text>" in drawing


def test_progress_counts_what_was_planned_and_published_by_day(root: Path) -> None:
    shelf = fill_shelf(root, root / "site", whole=True)
    assert shelf.plan is not None
    series = plan_pages.growth.running_counts(view.view_of(shelf, shelf.plan))
    day = datetime.date
    assert series["Planned"] == [(day(2025, 8, 11), 2), (day(2025, 8, 18), 3)]
    assert series["Scientist"] == series["Manager"] == [(day(2026, 11, 19), 1), (day(2026, 11, 20), 2)]
    text = made(root)[view.PROGRESS].text
    assert "2 in the Scientist edition, 2 in the Manager edition, of 3 planned" in text
    assert "| 19&nbsp;Nov&nbsp;2026 |" in text and "1 post to go" in text


def test_steps_rise_on_their_days_and_names_do_not_overlap() -> None:
    first, last = datetime.date(2026, 1, 1), datetime.date(2026, 1, 11)
    points = [(datetime.date(2026, 1, 6), 1), (last, 2)]
    drawing = draw.steps({"Scientist": points, "Manager": points}, 2, first, last)
    path = re.findall(r'kf-draw__line--scientist" d="([^"]+)"', drawing)[0]
    assert path == "M26.0 190.0H147.0V102.0H268.0V14.0H268"
    names = [float(y) for y in re.findall(r'kf-draw__name[^>]*y="([\d.]+)"', drawing)]
    assert abs(names[0] - names[1]) >= 13
    assert draw._ticks(first, last) == [first]
    assert draw._ticks(datetime.date(2025, 8, 5), datetime.date(2026, 11, 21)) == [
        datetime.date(2025, 8, 5), datetime.date(2026, 2, 1), datetime.date(2026, 8, 1),
    ]  # fmt: skip


# little or odd notes


def test_without_a_plan_there_are_no_pages(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    assert made(tmp_path) == {}
    (tmp_path / "notes").mkdir()
    assert made(tmp_path) == {}


def test_a_single_week_is_enough_and_builds(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project", posts=())
    assert set(made(root)) == {view.OVERVIEW, view.WEEKS, view.PROGRESS}
    result = site.build(root)
    assert (result.ok, result.findings) == (True, []), site.describe(result)
    assert "Nothing yet." in made(root)[view.PROGRESS].text


def test_bad_notes_leave_the_rest_of_the_site_standing(root: Path) -> None:
    edit(root, "roadmap/1.1-coins.md", "phase: 1", "phase: 9")
    edit(root, "roadmap/2.1-attention.md", 'pair: "[[1.1-coins]]"', 'pair: "[[nowhere]]"')
    edit(root, "lectures/02-attention.md", "block: foundation", "block: none-such")
    edit(root, "sprint/session-02.md", "status: done", "status: dnoe")
    edit(root, "lectures/index.md", "block: foundation", 'block: "the first: block"')
    (root / "notes" / "course" / "week-01.md").write_text("---\n: [\n---\n")
    result = site.build(root)
    assert (result.ok, result.findings) == (True, []), site.describe(result)
    pages = made(root)
    assert "## Without a phase {#phase-none}" in pages[view.ROADMAP].text
    assert "## Foundation {#block-the-first-block}" in pages[view.LECTURES].text
    assert "## Further lectures {#block-none}" in pages[view.LECTURES].text
    assert view.COURSE not in pages


def test_two_builds_are_the_same(root: Path) -> None:
    def snapshot(name: str) -> dict[str, bytes]:
        out = site.build(root, out=root.parent / name).out
        return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.html"))}

    assert snapshot("one") == snapshot("two")


@pytest.mark.browser
def test_pages_fit_a_phone_and_read_well_aloud(root: Path, browser: object, tmp_path: Path) -> None:
    from tests.site.test_browser import AUDIT, CONTRAST

    config = (root / "mkdocs.yml").read_text().replace("strict: true", "strict: true\nuse_directory_urls: false")
    (root / "mkdocs.yml").write_text(config)
    result = site.build(root)
    assert result.ok, site.describe(result)
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)  # type: ignore[attr-defined]
        page = context.new_page()
        for name in (*view_pages(), "topics/attention.md"):
            page.goto((result.out / name).with_suffix(".html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            assert page.evaluate(AUDIT) == [], name
            assert page.evaluate(CONTRAST) == [], (name, scheme)
        context.close()


def test_citing_entries_come_in_the_plans_order(root: Path) -> None:
    shelf = fill_shelf(root, root / "site", whole=True)
    assert shelf.plan is not None
    cited = references.entries_citing(view.view_of(shelf, shelf.plan))
    assert cited["feller1968"] == {"cluster": ["1.1"], "session": ["1"], "the plan": []}
    assert cited["vaswani2017"] == {"cluster": ["1.1"], "week": ["2"], "course": ["1"]}
