"""The built site as a person meets it, in real Chromium that can reach nothing but this machine."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

POST = "scientist/optimal-decisions/"
PAGES = ["", "scientist/", "manager/", POST, "manager/optimal-decisions/", "scientist/tags/", "about/", "404.html"]
PAGES += ["scientist/decision-making-101/", "scientist/archive/2026/11/"]
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
        page.on("requestfailed", lambda request: note(f"failed: {request.url}"))
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
    page.get_by_text("How this was measured").click()
    assert page.get_by_role("cell", name="fitted contraction rate").is_visible()


@pytest.mark.parametrize(("scheme", "shown"), [("light", "light"), ("dark", "dark")])
def test_figures_follow_the_colour_scheme(scheme: str, shown: str, open_page: Open) -> None:
    page = open_page(POST, color_scheme=scheme)
    figure = page.locator("#fig-convergence")
    figure.scroll_into_view_if_needed()
    visible = [img for img in figure.locator("img").all() if img.is_visible()]
    assert len(visible) == 1
    assert f"convergence.{shown}.svg" in visible[0].get_attribute("src")
    page.wait_for_function("i => i.complete && i.naturalWidth > 0", arg=visible[0].element_handle())


def test_the_reader_may_choose_dark(open_page: Open) -> None:
    page = open_page(POST)
    page.locator("label[title='Switch to light']").click()
    page.locator("label[title='Switch to dark']").click()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    page.reload()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert page.locator("#fig-convergence img").nth(1).is_visible()


@pytest.mark.parametrize("way", ["hover", "tap", "keyboard"])
def test_a_value_tells_where_it_comes_from(way: str, open_page: Open) -> None:
    page = open_page(POST, has_touch=way == "tap", viewport={"width": 390, "height": 844})
    value = page.locator("data.kf-value").first
    pop = page.locator(".kf-pop")
    assert not pop.is_visible()
    if way == "hover":
        value.hover()
    elif way == "tap":
        value.tap()
    else:
        value.focus()
        page.keyboard.press("Enter")
    assert "value_iteration.py:41" in pop.inner_text()
    assert value.get_attribute("aria-expanded") == "true"
    box = pop.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    pop.get_by_role("link", name="How this was measured").click()
    assert page.locator("details.abstract").evaluate("d => d.open")
    assert page.get_by_role("cell", name="value iteration to 1e-10").is_visible()
    page.keyboard.press("Escape")
    assert not pop.is_visible()


def test_a_figure_can_be_enlarged_and_closed(open_page: Open) -> None:
    page = open_page(POST, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Enlarge Figure 1").click()
    dialog = page.get_by_role("dialog", name="Enlarge Figure 1")
    assert dialog.locator("img").bounding_box()["width"] > 390
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('dialog')")


def test_citations_show_on_hover(open_page: Open) -> None:
    page = open_page(POST)
    page.locator("sup a.footnote-ref").first.hover()
    page.locator(".md-tooltip2__inner").wait_for()
    assert "Sutton" in page.locator(".md-tooltip2__inner").inner_text()


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


@pytest.mark.parametrize("path", ["", "scientist/", POST, "manager/optimal-decisions/", "about/"])
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
    assert page.get_by_text("Draft under review. Not published.").is_visible()
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
    names |= {f"{edition}/optimal-decisions/index.html", "search/search_index.json"}  # the worker fetches the index
    sizes = {name: packed(built / name) for name in names}
    assert sum(sizes.values()) <= kib * 1024, sizes


def packed(path: Path) -> int:
    """Bytes on the wire: fonts and bitmaps as they are, the rest gzipped."""
    data = path.read_bytes()
    return len(data) if path.suffix in (".woff2", ".png") else len(gzip.compress(data, 6))
