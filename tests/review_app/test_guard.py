"""Who may ask: every way in that is not the printed address, tried for real over a socket."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit

import pytest

from pipeline.review import load_reviews
from tests.review_app.conftest import SLUG, Served


@pytest.fixture
def entered(served: Served) -> Served:
    served.enter()
    return served


def token(served: Served) -> str:
    return urlsplit(served.address).query


def test_the_server_listens_on_this_machine_only(served: Served) -> None:
    assert served.host.startswith("127.0.0.1:") and int(served.host.rpartition(":")[2]) > 1023


@pytest.mark.parametrize("path", ["/", f"/review/{SLUG}", f"/review/{SLUG}/stamp"])
def test_without_the_session_nothing_is_shown(served: Served, path: str) -> None:
    for cookie in ("", "forge-review=", "forge-review=x", "other=1"):
        reply = served.ask("GET", path, **({"Cookie": cookie} if cookie else {}))
        assert reply.status == 403 and "coin" not in reply.text


@pytest.mark.parametrize("query", ["", "token=", "token=x", "token=%00", "token=ä"])
def test_a_wrong_token_does_not_enter_and_does_not_spend_the_right_one(served: Served, query: str) -> None:
    reply = served.ask("GET", f"/enter?{quote(query, safe='=%')}")
    assert reply.status == 403 and "set-cookie" not in reply.headers
    served.enter()


def test_the_token_works_once(entered: Served) -> None:
    reply = entered.ask("GET", f"/enter?{token(entered)}")
    assert reply.status == 403 and "works once" in reply.text and "set-cookie" not in reply.headers
    assert entered.get("/").status == 200, "whoever entered stays"


def test_the_cookie_is_for_this_site_and_no_script(served: Served) -> None:
    cookie = served.ask("GET", f"/enter?{token(served)}").headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie and "domain" not in cookie


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
def test_entering_leads_nowhere_else(served: Served, to: str) -> None:
    assert served.ask("GET", f"/enter?{token(served)}&to={quote(to)}").headers["location"] == "/"


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "evil.example:80"])
def test_another_name_for_this_machine_reads_nothing(entered: Served, host: str) -> None:
    """A foreign name that resolves to 127.0.0.1 (DNS rebinding) carries its own Host."""
    for path in ("/", f"/review/{SLUG}", "/static/review.css", f"/enter?{token(entered)}"):
        assert entered.ask("GET", path, Cookie=entered.cookie, Host=host).status == 421
    reply = entered.post({"do": "send:manager", "reason-manager": "x"}, Host=host)
    assert reply.status == 421 and load_reviews(entered.project, SLUG) == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", "https://{host}", ""])
def test_a_form_from_elsewhere_is_refused(entered: Served, origin: str) -> None:
    reply = entered.post({"do": "send:manager", "reason-manager": "x"}, Origin=origin.format(host=entered.host))
    assert reply.status == 403 and load_reviews(entered.project, SLUG) == []


def test_a_form_without_origin_or_from_another_site_is_refused(entered: Served) -> None:
    body = f"csrf={entered.csrf}&do=send:manager&reason-manager=x"
    assert entered.ask("POST", f"/review/{SLUG}", body, Cookie=entered.cookie).status == 403
    assert entered.post({"do": "keep"}, Sec_Fetch_Site="cross-site").status == 403
    assert load_reviews(entered.project, SLUG) == []


@pytest.mark.parametrize("csrf", ["", "x", "ä"])
def test_a_form_without_the_pages_token_is_refused(entered: Served, csrf: str) -> None:
    reply = entered.post({"csrf": csrf, "do": "send:manager", "reason-manager": "x"})
    assert reply.status == 403 and load_reviews(entered.project, SLUG) == []


def test_a_form_that_is_no_form_or_too_large_is_refused(entered: Served) -> None:
    assert entered.post({"do": "keep"}, Content_Type="text/plain").status == 413
    assert entered.post({"do": "keep"}, Content_Type="application/json").status == 413
    assert entered.post({"do": "keep", "text-manager": "x" * 4_100_000}).status == 413


@pytest.mark.parametrize("slug", ["..", "%2e%2e", "..%2f..%2fetc", "%2fetc%2fpasswd", "coin-post%00", "coin-pos"])
def test_no_name_leads_out_of_the_drafts(entered: Served, slug: str) -> None:
    assert entered.get(f"/review/{slug}").status in (303, 404)
    assert entered.get(f"/review/{slug}/stamp").status in (200, 404)
    fields = {"csrf": entered.csrf, "do": "save:manager:", "text-manager": "pwned", "base-manager": ""}
    reply = entered.ask("POST", f"/review/{slug}", urlencode(fields), Cookie=entered.cookie, Origin=entered.origin)
    assert reply.status in (404, 405)
    root = entered.project.root
    nearby = [*root.rglob("*.md"), *root.parent.glob("*.md"), *root.parent.parent.glob("*.md")]
    assert [path for path in nearby if "pwned" in path.read_text(errors="ignore")] == []


@pytest.mark.parametrize(
    "name", ["../server.py", "%2e%2e/server.py", "..%2fserver.py", "/etc/passwd", "%2fetc%2fpasswd"]
)
def test_files_of_other_folders_are_not_served(entered: Served, name: str) -> None:
    frame = re.search(r'src="(/frame/[^/]+/[^/]+/)', entered.get(f"/review/{SLUG}").text)
    assert frame
    for base in ("/static/", "/fonts/", frame[1]):
        reply = entered.get(base + name)
        assert reply.status == 404 and "root:" not in reply.text and "import" not in reply.text


def test_a_preview_needs_its_key(entered: Served) -> None:
    frame = re.search(r'src="/frame/([^/]+)/([^/]+)/([^"]+)"', entered.get(f"/review/{SLUG}").text)
    assert frame
    assert entered.get(f"/frame/{frame[1]}/{frame[2]}/{frame[3]}").status == 200
    assert entered.get(f"/frame/x/{frame[2]}/{frame[3]}").status == 404
    assert frame[1] not in (entered.csrf, entered.cookie.partition("=")[2])


def test_every_answer_carries_a_policy_that_lets_nothing_out(entered: Served) -> None:
    for path in ("/", f"/review/{SLUG}", "/static/review.css", f"/review/{SLUG}/stamp"):
        heads = entered.get(path).headers
        assert "default-src 'none'" in heads["content-security-policy"]
        assert (
            "frame-ancestors 'none'" in heads["content-security-policy"]
            and "unsafe" not in heads["content-security-policy"]
        )
        assert heads["cache-control"] == "no-store" and heads["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in heads or heads["access-control-allow-origin"] == "null"
