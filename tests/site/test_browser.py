"""The built site as a person meets it, in real Chromium that can reach nothing but this machine."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

POST = "scientist/optimal-decisions/"
PAGES = ["", "scientist/", "manager/", POST, "manager/optimal-decisions/", "scientist/tags/", "about/", "404.html"]
PAGES += ["scientist/decision-making-101/", "scientist/archive/2026/11/", "scientist/series/", "glossary/"]
PAGES += ["code/week01_mdp/value_iteration/"]
Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Open]:
    """Open a page; at the end, fail on any console message, failed request, or request to elsewhere."""
    contexts: list[Any] = []
    trouble: list[str] = []
    closing = False

    def note(text: str) -> None:
        if not closing:
            trouble.append(text)

    def go(path: str, idle: bool = False, **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: note(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: note(f"error: {error}"))
        # What a click to the next page cuts short is no failure of the site.
        page.on("requestfailed", lambda r: "ERR_ABORTED" in (r.failure or "") or note(f"failed: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and note(f"{r.status}: {r.url}"))
        page.on("request", lambda r: r.url.startswith((address, "data:", "blob:")) or note(f"request to {r.url}"))
        page.goto(address + path, wait_until="networkidle" if idle else "load")
        return page

    yield go
    closing = True
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.mark.parametrize("path", PAGES)
def test_no_request_leaves_and_nothing_complains(path: str, open_page: Open) -> None:
    page = open_page(path, idle=True)
    page.mouse.wheel(0, 4000)
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").count() == 1


def test_the_network_is_cut(browser: Any) -> None:
    page = browser.new_page()
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("https://example.org/")
    page.close()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_scrolls_sideways(path: str, open_page: Open) -> None:
    page = open_page(path)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


ORPHANS = """() => [...document.querySelectorAll(".kf-prose .kf-together")].map((whole) => {
    const mark = document.createRange();
    mark.selectNode(whole.lastChild);
    const last = [...whole.querySelectorAll(".katex-base")].pop().getBoundingClientRect();
    return mark.getBoundingClientRect().top < last.bottom;
})"""


def test_no_line_begins_with_the_comma_behind_a_formula(open_page: Open) -> None:
    page = open_page(POST)
    page.add_style_tag(content=".kf-prose > * { content-visibility: visible !important }")
    for width in range(320, 400, 8):
        page.set_viewport_size({"width": width, "height": 800})
        held = page.evaluate(ORPHANS)
        assert len(held) > 3 and all(held), width


def test_the_switch_keeps_the_section_being_read(open_page: Open, address: str) -> None:
    page = open_page(POST)
    short = page.locator(".kf-switch--compact a")
    assert not short.is_visible()
    page.locator("#algorithm").evaluate("e => e.scrollIntoView()")
    page.wait_for_timeout(300)
    assert short.is_visible()
    short.click()
    page.wait_for_url(address + "manager/optimal-decisions/#algorithm")
    assert abs(page.locator("#algorithm").bounding_box()["y"]) < 200
    page.locator(".kf-switch--compact a").click()
    page.wait_for_url(address + POST + "#algorithm")


def test_the_switch_starts_at_the_top_from_the_top(open_page: Open, address: str) -> None:
    page = open_page(POST)
    page.locator(".kf-switch:not(.kf-switch--compact) a").click()
    page.wait_for_url(address + "manager/optimal-decisions/")


def test_the_switch_works_by_keyboard(open_page: Open, address: str) -> None:
    page = open_page(POST)
    page.locator("#limits").evaluate("e => e.scrollIntoView()")
    page.wait_for_timeout(300)
    page.locator(".kf-switch--compact a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(address + "manager/optimal-decisions/#limits")


def test_the_switch_keeps_the_targeted_heading_without_scripts(open_page: Open, address: str) -> None:
    page = open_page(POST + "#limits", java_script_enabled=False)
    shown = [a for a in page.locator(".kf-switch:not(.kf-switch--compact) a").all() if a.is_visible()]
    assert [a.get_attribute("href") for a in shown] == ["../../manager/optimal-decisions/#limits"]
    shown[0].click()
    page.wait_for_url(address + "manager/optimal-decisions/#limits")
    page = open_page(POST, java_script_enabled=False)
    shown = [a for a in page.locator(".kf-switch:not(.kf-switch--compact) a").all() if a.is_visible()]
    assert [a.get_attribute("href") for a in shown] == ["../../manager/optimal-decisions/"]


def test_formulas_tables_figures_and_values_stand_without_scripts(open_page: Open) -> None:
    page = open_page(POST, java_script_enabled=False)
    assert page.locator(".katex-display").count() == 3
    assert page.locator("math annotation").first.text_content() == r"(\mathcal{S}, \mathcal{A}, P, R, \gamma)"
    figure = page.locator("#fig-convergence")
    figure.scroll_into_view_if_needed()
    assert [img.is_visible() for img in figure.locator("img").all()] == [True, False]
    assert page.locator("data.kf-value").first.get_attribute("title").startswith("expected discounted return")
    page.locator("summary", has_text="How this was measured").click()
    assert page.get_by_role("cell", name="fitted contraction rate").is_visible()


def test_a_value_leads_to_its_row_and_its_line_without_scripts(open_page: Open, address: str) -> None:
    page = open_page(POST, java_script_enabled=False)
    page.locator("a.kf-origin", has_text="438 sweeps").click()
    assert page.url == f"{address}{POST}#fact-vi.frozenlake4.sweeps"
    assert page.locator("#fact-vi\\.frozenlake4\\.sweeps").is_visible()  # the browser unfolds the appendix
    page.locator(".kf-file a").click()
    page.wait_for_url(f"{address}code/week01_mdp/value_iteration/#L30")
    assert page.locator("#L30").is_visible()


def test_a_term_leads_to_the_glossary_without_scripts(open_page: Open, address: str) -> None:
    page = open_page(POST, java_script_enabled=False)
    term = page.locator("a.kf-term").first
    assert term.get_attribute("title")
    term.click()
    assert page.url.startswith(f"{address}glossary/#term-")


@pytest.mark.parametrize(("scheme", "shown"), [("light", "light"), ("dark", "dark")])
def test_figures_follow_the_colour_scheme(scheme: str, shown: str, open_page: Open) -> None:
    page = open_page(POST, color_scheme=scheme)
    figure = page.locator("#fig-convergence")
    figure.scroll_into_view_if_needed()
    figure.locator("img:visible").first.wait_for()  # what is far down is laid out when it comes near
    visible = [img for img in figure.locator("img").all() if img.is_visible()]
    assert len(visible) == 1
    assert f"convergence.{shown}.svg" in visible[0].get_attribute("src")
    page.wait_for_function("i => i.complete && i.naturalWidth > 0", arg=visible[0].element_handle())


def test_the_reader_may_choose_dark(open_page: Open) -> None:
    page = open_page(POST)
    for step in ("Switch to light", "Switch to dark"):  # by keyboard: the button that follows takes the focus
        page.get_by_role("button", name=step).focus()
        page.keyboard.press("Enter")
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert page.evaluate("document.activeElement.title") == "Follow the system"
    page.reload()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert page.locator("#fig-convergence img").nth(1).is_visible()
    page.get_by_role("button", name="Follow the system").click()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "default"
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("body[data-md-color-scheme=slate]")


def test_a_dark_screen_is_never_lit_while_scripts_arrive(open_page: Open) -> None:
    page = open_page(POST, color_scheme="dark")
    page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.reload()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"


@pytest.mark.parametrize("way", ["hover", "tap", "keyboard"])
def test_a_value_tells_where_it_comes_from(way: str, open_page: Open) -> None:
    page = open_page(POST, has_touch=way == "tap", viewport={"width": 390, "height": 844})
    value = page.locator("a.kf-origin").first
    pop = page.locator(".kf-pop")
    assert not pop.is_visible()
    if way == "hover":
        value.hover()
    elif way == "tap":
        value.tap()
    else:
        value.focus()
        page.keyboard.press("Enter")
    said = pop.inner_text()
    for part in (
        "expected discounted return",
        "grid.frozenlake4.v_start",
        "value iteration to 1e-10",
        "0123456789",
        "gridworlds-small-7f3a, 2026-11-20",
        "Grid worlds (week01_mdp/gridworlds)",
        "value_iteration.py:41",
    ):
        assert part in said
    assert "a fixture" not in said  # the machine is named for times alone
    assert value.get_attribute("aria-expanded") == "true"
    box = pop.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    pop.get_by_role("link", name="How this was measured").click()
    assert page.locator("#how-this-was-measured").evaluate("d => d.open")
    assert page.get_by_role("cell", name="value iteration to 1e-10").is_visible()
    assert not pop.is_visible()


def test_a_time_names_its_machine_and_interval_and_escape_closes(open_page: Open) -> None:
    page = open_page(POST)
    value = page.locator("a.kf-origin", has_text="0.006")
    value.focus()
    page.keyboard.press("Enter")
    said = page.locator(".kf-pop").inner_text()
    assert "2 cores, a fixture" in said and "n = 11" in said and "0.0058 to 0.0066" in said
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "value_iteration.py:60"
    page.keyboard.press("Escape")
    assert not page.locator(".kf-pop").is_visible()
    assert page.evaluate("document.activeElement.textContent") == "0.006", "the focus goes back to the value"


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_phone_what_a_value_rests_on_is_read_without_scrolling_sideways(scripts: bool, open_page: Open) -> None:
    page = open_page(POST, viewport={"width": 390, "height": 844}, java_script_enabled=scripts)
    page.goto(page.url + page.locator("a.kf-origin").first.get_attribute("href"))
    row = page.locator("tr:target")
    box = row.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert row.get_by_role("cell").count() == 3
    for cell in row.get_by_role("cell").all():
        inside = cell.bounding_box()
        assert box["x"] <= inside["x"] and inside["x"] + inside["width"] <= box["x"] + box["width"]


def test_a_term_says_what_it_means(open_page: Open) -> None:
    page = open_page(POST)
    page.locator("a.kf-term").first.click()
    pop = page.get_by_role("dialog", name="What this term means")
    assert pop.get_by_role("link", name="Glossary").is_visible()
    page.locator("h1").click()
    assert not pop.is_visible()


def test_a_post_can_be_cited_and_its_data_taken_away(open_page: Open, built: Path) -> None:
    page = open_page(POST)
    page.locator("summary", has_text="Cite this post").click()
    assert "@misc{" in page.locator("#cite code").inner_text()
    page.locator("summary", has_text="Data and code").click()
    with page.expect_download() as found:
        page.locator("#data a", has_text="Every value").click()
    taken = Path(found.value.path()).read_bytes()
    assert taken == (built / "assets/data/scientist/optimal-decisions.json").read_bytes()
    assert page.locator("#data code").first.inner_text() == hashlib.sha256(taken).hexdigest()[:16]


def test_the_search_index_waits_for_the_search(open_page: Open) -> None:
    page = open_page(POST, idle=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_request("**/search/search_index.json"):
        page.locator("input[name=query]").focus()
    assert len([url for url in asked if url.endswith("search_index.json")]) == 1


def test_a_figure_can_be_enlarged_and_closed(open_page: Open) -> None:
    page = open_page(POST, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Enlarge Figure 1").click()
    dialog = page.get_by_role("dialog", name="Enlarge Figure 1")
    assert dialog.locator("img").bounding_box()["width"] > 390
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('dialog')")


def test_citations_show_on_hover_and_by_keyboard(open_page: Open) -> None:
    page = open_page(POST)
    mark = page.locator("sup a.footnote-ref").first
    mark.hover()
    pop = page.get_by_role("dialog", name="Source")
    assert "Sutton" in pop.inner_text()
    page.locator("h1").hover()
    assert not pop.is_visible()
    mark.focus()
    page.keyboard.press("Enter")
    pop.get_by_role("link", name="Sources").click()
    assert page.url.endswith("#fn:sutton2018-ch-3")


def test_search_finds_the_scientist_edition_first(open_page: Open) -> None:
    page = open_page("")
    page.locator("input[name=query]").press_sequentially("optimality equation")
    first = page.locator(".md-search-result__link").first
    first.wait_for()
    assert "/scientist/" in first.get_attribute("href")


def test_paper_shows_the_text_and_unfolds_the_appendix(open_page: Open) -> None:
    page = open_page(POST)
    page.emulate_media(media="print")
    for gone in (".md-header", ".kf-switch", ".md-sidebar--secondary", ".kf-other"):
        assert not page.locator(gone).first.is_visible()
    assert page.locator("h1").is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.abstract table").is_visible()


def test_paper_is_white_for_readers_of_the_dark_scheme_too(open_page: Open) -> None:
    page = open_page(POST, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".kf-prose p").first.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    assert [img.is_visible() for img in page.locator("#fig-values img").all()] == [True, False]


AUDIT = """() => {
  const found = [];
  const name = (e) => (e.getAttribute('aria-label') || e.textContent || e.title || '').trim()
    || [...e.querySelectorAll('img')].map((i) => i.alt).join('').trim();
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  if (!document.documentElement.lang) found.push('page has no language');
  if (!document.title) found.push('page has no title');
  for (const e of document.querySelectorAll('a[href], button, [role=button], summary'))
    if (shown(e) && !name(e)) found.push('no name: ' + e.outerHTML.slice(0, 120));
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) found.push('no alt: ' + e.src);
  for (const e of document.querySelectorAll('figure img')) if (!e.alt.trim()) found.push('empty alt: ' + e.src);
  for (const e of document.querySelectorAll('[role=dialog], nav:not(.md-code__nav), dialog'))
    if (!e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && shown(e))
      found.push('no label: ' + e.outerHTML.slice(0, 80));
  for (const e of document.querySelectorAll('input:not([type=hidden])'))
    if (shown(e) && !e.getAttribute('aria-label') && !e.labels?.length) found.push('input: ' + e.outerHTML);
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push('id twice: ' + id);
  let level = 0;
  for (const e of document.querySelectorAll('main h1, main h2, main h3, main h4')) {
    const now = Number(e.tagName[1]);
    if (now > level + 1) found.push('heading skips a level: ' + e.textContent);
    level = now;
  }
  return found;
}"""

CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const linear = (v) => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const seen = { visibilityProperty: true, opacityProperty: true };
  const back = (e) => { const own = rgb(getComputedStyle(e).backgroundColor);
    return own[3] === 1 ? own : over(own, e.parentElement ? back(e.parentElement) : [255, 255, 255, 1]); };
  const found = new Map();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    const text = walk.currentNode.data.trim().slice(0, 40);
    if (!text || !e.checkVisibility(seen)) continue;
    if (e.closest('svg, script, style, .katex-mathml, .md-search__output, .md-dialog')) continue;
    const box = e.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(e);
    const ground = back(e);
    const a = light(over(rgb(style.color), ground)), b = light(ground);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5))
      found.set(e.className || e.tagName, `${ratio.toFixed(2)} ${e.tagName}.${e.className}: ${text}`);
  }
  return [...found.values()];
}"""


@pytest.mark.parametrize("path", PAGES)
def test_names_labels_headings_and_ids(path: str, open_page: Open) -> None:
    assert open_page(path).evaluate(AUDIT) == []


@pytest.mark.parametrize("path", ["", "scientist/", POST, "manager/optimal-decisions/", "about/", "glossary/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(path: str, scheme: str, open_page: Open) -> None:
    page = open_page(path, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert page.evaluate(CONTRAST) == []


def test_a_preview_opens_from_the_file_system(browser: Any, previewed: Path) -> None:
    page = browser.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or trouble.append(r.url))
    page.goto((previewed / "index.html").as_uri())
    page.get_by_role("link", name="Manager edition").first.click()
    page.get_by_role("link", name="The Mathematics of Optimal Decisions").first.click()
    page.get_by_text("Draft under review. Not published.").wait_for()
    page.locator(".kf-switch:not(.kf-switch--compact) a").click()
    page.wait_for_url("**/scientist/optimal-decisions.html")
    assert page.evaluate("document.fonts.check('16px \"KF Serif\"')")
    page.close()
    assert trouble == []


@pytest.mark.parametrize(("edition", "kib"), [("scientist", 350), ("manager", 230)])
def test_a_first_view_is_light(edition: str, kib: int, open_page: Open, address: str, built: Path) -> None:
    """A phone's first view of a rich post, compressed as a server sends it, within issue 4's budgets."""
    page = open_page(f"{edition}/optimal-decisions/", idle=True, viewport={"width": 412, "height": 823})
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    names = {url.removeprefix(address).partition("#")[0] for url in loaded}
    assert "assets/kf.css" in names and any(name.endswith(".woff2") for name in names)
    names.add(f"{edition}/optimal-decisions/index.html")
    assert "search/search_index.json" not in names
    sizes = {name: packed(built / name) for name in names}
    assert sum(sizes.values()) <= kib * 1024, sizes


def packed(path: Path) -> int:
    """Bytes on the wire: fonts and bitmaps as they are, the rest gzipped."""
    data = path.read_bytes()
    return len(data) if path.suffix in (".woff2", ".png") else len(gzip.compress(data, 6))
