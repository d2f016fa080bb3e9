"""The review as a person does it, in real Chromium: by keyboard, without JavaScript, in two tabs, dark, on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.project import Project
from pipeline.review import load_reviews
from tests.review_app.conftest import SLUG, Served, serving
from tests.toy_project import approve_both, write_results

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
BOTH = ("scientist", "manager")
LIMIT = "We threw fair coins only, and a few of them fell off the table."


@pytest.fixture
def open_page(browser: Any, served: Served) -> Iterator[Open]:
    """Enter with the one-time address; at the end, fail on any console message, error or request to elsewhere."""
    contexts: list[Any] = []
    trouble: list[str] = []
    closing = False
    held: dict[str, Any] = {}

    def note(text: str) -> None:
        if not closing:
            trouble.append(text)

    def go(path: str = f"/review/{SLUG}", refusals: tuple[int, ...] = (), watched: bool = True, **options: Any) -> Any:
        state = {"storage_state": held["state"]} if held else {}
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **state, **options})
        contexts.append(context)
        page = context.new_page()
        expected = [f"status of {status}" for status in refusals]
        if watched:
            page.on("console", lambda m: any(e in m.text for e in expected) or note(f"console {m.type}: {m.text}"))
            page.on("pageerror", lambda error: note(f"error: {error}"))
        page.on("response", lambda r: r.status >= 400 and r.status not in refusals and note(f"{r.status}: {r.url}"))
        page.on("request", lambda r: r.url.startswith((served.origin, "data:")) or note(f"request to {r.url}"))
        if not held:
            page.goto(served.address)
            held["state"] = context.storage_state()
        page.goto(served.origin + path)
        return page

    yield go
    closing = True
    for context in contexts:
        context.close()
    assert trouble == []


def source(project: Project, edition: str = "scientist") -> Path:
    return project.drafts / SLUG / f"{edition}.md"


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.value || document.activeElement.className || ''"))


def frame(page: Any, edition: str) -> Any:
    """The previewed page of an edition, once it is built."""
    page.frame_locator(f"#frame-{edition}").locator("h1").first.wait_for(timeout=60_000)
    return page.frame_locator(f"#frame-{edition}")


def explain_all(page: Any) -> None:
    """Answer every question of the review queue: it only explains."""
    for box in page.get_by_label("only explains").all():
        box.check()


def test_a_whole_review_by_keyboard(open_page: Open, served: Served) -> None:
    """Find, look, decide each question, tick, approve one edition, send the other back; no mouse anywhere."""
    page = open_page("/")
    for _ in range(20):
        page.keyboard.press("Tab")
        if focused(page) == "post":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/review/{SLUG}")
    frame(page, "scientist")

    page.keyboard.press("n")
    assert "finding" in focused(page)
    for answer in ("y", "y", "x"):  # two questions of the Scientist edition, one of the Manager edition
        while "review" not in focused(page):
            page.keyboard.press("n")
        page.keyboard.press(answer)
    assert page.locator("input[type=radio]:checked").count() == 3
    assert "Nothing stands against it" in page.locator("[data-left=scientist]").inner_text()
    assert "1 sentence needs backing" in page.locator("[data-left=manager]").inner_text()

    page.wait_for_timeout(1100)  # a second of looking, so that there is time to record
    page.keyboard.press("6")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("a")
    assert focused(page) == "approve:scientist"
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice.done")
    assert "Scientist edition approved" in page.locator(".notice.done").inner_text()
    assert page.locator(".checklist input:checked").count() == 1, "ticks outlive a decision"

    page.keyboard.press("b")
    page.keyboard.press("Tab")  # past the approved edition's remark and buttons, to the other's
    while focused(page) != "send:manager":
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("Open with the bank.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice.done")
    reviews = load_reviews(served.project, SLUG)
    assert [(r.edition, r.decision, r.reason, r.who) for r in reviews] == [
        ("scientist", "approved", "", "Ada"),
        ("manager", "sent-back", f"Open with the bank.\nBack this or say it otherwise: {LIMIT}", "Ada"),
    ]  # fmt: skip
    assert reviews[0].confirmed == ["My first bet went wrong.", LIMIT]
    assert reviews[0].seconds >= 1 and reviews[0].seconds < 120


def test_every_decision_works_without_javascript(open_page: Open, served: Served) -> None:
    page = open_page(java_script_enabled=False)
    explain_all(page)
    page.locator(".checklist input").first.check()
    text = page.locator("#text-manager")
    text.fill(text.input_value().replace("A coin does not remember.", "A coin never remembers."))
    with page.expect_navigation():
        page.get_by_role("button", name="Save and check").nth(1).click()
    assert "A coin never remembers." in source(served.project, "manager").read_text()
    assert page.locator(".checklist input:checked").count() == 1
    with page.expect_navigation():
        page.get_by_role("button", name="Approve Scientist").click()
    page.locator("#reason-manager").fill("Shorter.")
    with page.expect_navigation():
        page.get_by_role("button", name="Send Manager back").click()
    assert [(r.edition, r.decision) for r in load_reviews(served.project, SLUG)] == [
        ("scientist", "approved"), ("manager", "sent-back"),
    ]  # fmt: skip


def test_the_pages_are_the_sites_own_and_a_finding_leads_to_its_place(open_page: Open, served: Served) -> None:
    path = source(served.project)
    path.write_text(path.read_text().replace("A fair coin forgets.", "A fair coin shows 98 heads."))
    page = open_page()
    for edition in BOTH:
        shown = frame(page, edition)
        assert shown.locator("h1").first.inner_text().startswith("What a coin knows")
        assert shown.locator("data.kf-value").count() >= 1 and shown.locator("figure img").count() >= 1
    first = page.locator(".finding").first
    assert (
        "error" in (first.get_attribute("class") or "") and "98" in first.inner_text() and "Fix" in first.inner_text()
    )
    assert "1 finding must be mended first" in page.locator(".decision").first.inner_text()

    first.get_by_role("link", name="in the page").click()
    place = frame(page, "scientist").locator(":has(> a.kf-here:target)")
    place.wait_for()
    assert "A fair coin shows 98 heads." in place.inner_text()
    first.get_by_role("link", name="in the text").click()
    chosen = "(() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionEnd) })()"
    assert page.evaluate(chosen).startswith("98 heads.") or "98" in page.evaluate(chosen)

    page.keyboard.type("many heads")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".notice.done")
    assert "many heads" in path.read_text() and page.locator(".finding.error").count() == 0


def test_a_previewed_page_is_left_with_escape(open_page: Open) -> None:
    page = open_page()
    frame(page, "manager").locator("main a").first.focus()
    assert focused(page) == "" and page.evaluate("document.activeElement.id") == "frame-manager"
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.className === 'apart'")
    assert "/manager/" in page.evaluate("document.activeElement.href")
    page.keyboard.press("6")
    assert page.evaluate("document.activeElement.id") == "decide"


def test_what_blocks_is_a_badge_in_its_line_and_questions_read_as_printed(open_page: Open, served: Served) -> None:
    path = source(served.project)
    path.write_text(path.read_text().replace("A fair coin forgets.", "A fair coin shows 98 heads."))
    page = open_page()
    badge = page.locator(".facts .state.findings")
    assert badge.inner_text() == "blocked" and badge.bounding_box()["height"] < 30
    assert badge.bounding_box()["width"] < 100
    asked = page.locator("#findings legend").all_inner_texts()
    assert asked and not any("{" in text or "`" in text for text in asked)


def test_a_draft_can_neither_read_nor_press_anything(open_page: Open, served: Served) -> None:
    """Its script runs in a frame without origin: the decision page, its cookie and its buttons are out of reach."""
    attack = (
        "<script>const out = [];"
        "for (const f of [() => parent.document.body, () => parent.document.forms[0].submit(), () => document.cookie,"
        "  () => { const r = new XMLHttpRequest(); r.open('GET', '/', false); r.send(); }, () => open('/')])"
        "  { try { const got = f(); out.push(got === null ? 'refused' : 'got in'); } catch { out.push('refused'); } }"
        "document.title = out.join();</script>\n\n"
        f'<form action="/review/{SLUG}" method="post"><button id="bait">Approve</button></form>\n\n'
        '<img src="x" onerror="top.location=\'/\'">\n\nEscaped: `<b id=bold>`.\n'
    )
    path = source(served.project)
    path.write_text(path.read_text().rstrip() + "\n\n" + attack)
    page = open_page(refusals=(403, 404), watched=False)  # the browser says what it refuses
    frame(page, "scientist")
    inside = next(f for f in page.frames if "/scientist/" in f.url)
    inside.wait_for_function("document.title.includes('refused')")
    assert inside.title() == "refused,refused,refused,refused,refused"
    inside.locator("#bait").click()
    page.wait_for_timeout(300)
    assert page.url.endswith(f"/review/{SLUG}") and load_reviews(served.project, SLUG) == []
    assert "<script>const out" in page.locator("#text-scientist").input_value(), "shown as text"
    assert page.locator("#main script").count() == 0
    assert page.locator(".finding.error").count() >= 1


def test_two_tabs_editing_one_text(open_page: Open, served: Served) -> None:
    one, two = open_page(refusals=(409,)), open_page(refusals=(409,))
    for page, old, new in ((one, "A fair coin", "A bent coin"), (two, "So much for", "Enough of")):
        text = page.locator("#text-scientist")
        text.fill(text.input_value().replace(old, new))
    one.get_by_role("button", name="Save and check").first.click()
    one.wait_for_selector(".notice.done")
    two.wait_for_selector("#changed:not([hidden])")
    two.get_by_role("button", name="Save and check").first.click()
    refused = two.locator("#refused")
    assert "changed on disk" in refused.inner_text()
    assert refused.locator("ins").first.is_visible() and refused.locator("del").first.is_visible()
    assert "Enough of" in two.locator("#text-scientist").input_value(), "what the loser typed is still there"
    on_disk = source(served.project).read_text()
    assert "A bent coin" in on_disk and "Enough of" not in on_disk

    two.get_by_role("button", name="Put both together").click()
    merged = two.locator("#text-scientist").input_value()
    assert "A bent coin" in merged and "Enough of" in merged
    two.get_by_role("button", name="Save and check").first.click()
    two.wait_for_selector(".notice.done")
    assert source(served.project).read_text() == merged


def test_a_stale_page_approves_nothing_and_says_what_moved(open_page: Open, served: Served) -> None:
    page = open_page(refusals=(409,))
    explain_all(page)
    write_results(served.project.root, many=91.0)
    page.get_by_role("button", name="Approve Scientist").click()
    refused = page.locator("#refused")
    refused.wait_for()
    row = refused.locator("tr", has_text="val coin.many")
    assert row.locator("del").inner_text() == "98.0" and row.locator("ins").inner_text() == "91.0"
    assert load_reviews(served.project, SLUG) == []
    page.get_by_role("button", name="Approve Scientist").click()
    page.wait_for_selector(".notice.done")
    assert [r.decision for r in load_reviews(served.project, SLUG)] == ["approved"]


def test_two_reviewers_the_second_is_told(open_page: Open, served: Served) -> None:
    page = open_page(refusals=(409,))
    explain_all(page)
    for bob in serving(served.project, "Bob"):
        bob.enter()
        fields = bob.form() | dict.fromkeys(bob.questions(), "fine") | {"do": "approve:scientist"}
        assert bob.post(fields).status == 303
        page.get_by_role("button", name="Approve Scientist").click()
        page.locator("#refused").wait_for()
    assert "meanwhile it was approved by Bob" in page.locator("#refused").inner_text()
    assert [r.who for r in load_reviews(served.project, SLUG)] == ["Bob"]


def test_a_moved_value_shows_old_and_new_with_its_provenance(open_page: Open, served: Served) -> None:
    approve_both(served.project)
    write_results(served.project.root, many=91.0)
    page = open_page()
    row = page.locator("#values tr.moved").first
    assert row.locator("th").inner_text() == "coin.many"
    assert row.locator("del").inner_text() == "98.0" and row.locator("ins").inner_text() == "91.0"
    assert "run coin-small-0000" in row.inner_text() and "commit cccccccccc" in row.inner_text()
    again = page.locator(".finding.changed").first
    assert again.locator("del").first.inner_text() == "98.0" and again.locator("ins").first.inner_text() == "91.0"
    row.locator("a.line").first.click()
    assert page.evaluate("document.activeElement.id") == "text-scientist"


def test_the_editor_is_offered_and_its_change_noticed(
    browser: Any, desk_project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editor = tmp_path / "edit.sh"
    editor.write_text("#!/bin/sh\nsleep 4\nsed -i 's/A coin does not remember/A coin never remembers/' \"$2\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", f"{editor} --wait")
    monkeypatch.delenv("VISUAL", raising=False)
    for served in serving(desk_project):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{served.address}&to=/review/{SLUG}")
        page.locator("button[value='open:manager']").click()
        page.wait_for_selector("#changed:not([hidden])", timeout=20_000)
        page.keyboard.press("r")
        page.wait_for_function("document.querySelector('#text-manager').value.includes('never remembers')")
        assert "A coin never remembers." in page.locator("#changes .manager").inner_text().replace(
            "does not remember", ""
        )
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_can_be_read(open_page: Open, served: Served, scheme: str) -> None:
    path = source(served.project)
    path.write_text(path.read_text().replace("A fair coin forgets.", "A fair coin shows 98 heads."))
    approve_once = open_page("/", color_scheme=scheme)
    for page in (approve_once, open_page(color_scheme=scheme)):
        found = page.evaluate(AUDIT)
        assert found == [], json.dumps(found, indent=1)
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", body)[:3])) > 380) == (scheme == "light")
    inside = frame(page, "scientist").locator("body").get_attribute("data-md-color-scheme")
    assert inside == ("default" if scheme == "light" else "slate"), "the pages follow too"


def test_focus_is_visible_on_everything_tab_reaches(open_page: Open) -> None:
    page = open_page()
    frame(page, "scientist")
    reached, unseen = set(), []
    for _ in range(120):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " const name = e.name || e.value || e.textContent.trim().slice(0, 30);"
            " return [e.tagName, name, s.outlineStyle, s.outlineWidth] })()"
        )
        if said[0] in ("BODY", "IFRAME"):
            if said[0] == "IFRAME":  # leave the previewed page, whose own focus the site's tests look at
                page.evaluate("document.activeElement.blur(); document.querySelector('#changes').focus()")
            continue
        reached.add(said[1])
        if said[2] == "none" or said[3] == "0px":
            unseen.append(said)
    assert unseen == []
    wanted = {"text-scientist", "text-manager", "reason-scientist", "reason-manager"}
    assert wanted <= reached, reached


def test_on_a_phone_everything_is_below_each_other(open_page: Open) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = [page.locator(f"#frame-{edition}").bounding_box() for edition in BOTH]
    assert boxes[0]["x"] == boxes[1]["x"] and boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert boxes[0]["width"] > 340
    small = page.evaluate(
        "[...document.querySelectorAll('button:not(.vh), #findings label')].map(e => e.getBoundingClientRect())"
        ".filter(b => b.height < 24).length"
    )
    assert small == 0, "fingers need room"


AUDIT = """() => {
  const found = [];
  const text = (e) => (e.getAttribute('aria-label') || e.title || e.textContent || '').trim();
  if (!document.documentElement.lang) found.push('no language');
  if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) found.push(`heading jumps to ${h.tagName}: ${h.textContent}`);
    level = now;
  }
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of new Set(ids)) if (ids.filter(x => x === id).length > 1) found.push(`id twice: ${id}`);
  for (const a of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(a.getAttribute('href').slice(1))) found.push(`dead jump ${a.getAttribute('href')}`);
  for (const e of document.querySelectorAll('a, button, iframe'))
    if (!text(e)) found.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  for (const e of document.querySelectorAll('input:not([type=hidden]), textarea'))
    if (!e.labels?.length && !e.getAttribute('aria-label')) found.push(`no label: ${e.name || e.id}`);
  const parse = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest('.vh, .skip')) continue;
    let under = e, back = [0, 0, 0, 0];
    while (under && (back = parse(getComputedStyle(under).backgroundColor))[3] === 0) under = under.parentElement;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const what = `${e.tagName}.${e.className} ${walk.currentNode.data.trim().slice(0, 40)}`;
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${what}`);
  }
  return [...new Set(found)];
}"""
