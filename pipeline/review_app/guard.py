"""Who may ask: only the browser that was given the one-time address, and only pages of this server.

- The address carries a token that works once; it is exchanged for a session cookie (HttpOnly, SameSite=Strict).
- Every request must name this very host and port, which keeps out a foreign name that points here (DNS rebinding).
- Every POST must come from this origin and carry the session's CSRF token.
- Nothing may be loaded from elsewhere, framed elsewhere, or cached.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

COOKIE = "forge-review"
LARGEST = 4_000_000
"""Bytes of a posted form; a post with both editions is under 100 kB."""

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not no-referrer: with it a form's Origin would be null
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def frame_policy(origin: str) -> str:
    """For previews: no origin of their own, scripts of the theme only for show, no way out and no form."""
    return (
        f"sandbox allow-scripts; default-src 'none'; script-src {origin} 'unsafe-inline'; "
        f"style-src {origin} 'unsafe-inline'; img-src {origin} data:; font-src {origin}; form-action 'none'; "
        f"frame-ancestors {origin}; base-uri 'none'"
    )


class Guard:
    """The secrets of one server and the checks on a request."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.origin = f"http://{self.host}"
        self.csrf = secrets.token_urlsafe(32)
        self.frame_key = secrets.token_urlsafe(16)
        self._token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._entering = threading.Lock()
        self.address = f"{self.origin}/enter?token={self._token}"

    def enter(self, request: Request) -> Response:
        """Exchange the one-time token for the session."""
        given = request.query_params.get("token", "")
        with self._entering:
            if self._token is None or not hmac.compare_digest(given.encode(), self._token.encode()):
                return refuse(403, "This address works once. Start `forge review` again for a new one.")
            self._token = None
        answer = RedirectResponse(request.query_params.get("to", "/") if _inside(request) else "/", 303)
        answer.set_cookie(COOKIE, self._session, httponly=True, samesite="strict", path="/")
        return answer

    def stranger(self, request: Request) -> Response | None:
        """An answer for a request that is not for this host, None for one that is."""
        if request.headers.get("host") != self.host:
            return refuse(421, f"This server answers to {self.host} only.")
        return None

    def outsider(self, request: Request) -> Response | None:
        """An answer for a request without the session, None for one of it."""
        cookie = request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(cookie.encode(), self._session.encode()):
            return refuse(403, "Open the address that `forge review` printed. It works once and in one browser.")
        return None

    def forged(self, request: Request, form: Mapping[str, str]) -> Response | None:
        """An answer for a POST that another page may have sent, None for one of ours."""
        if request.headers.get("origin") != self.origin:
            return refuse(403, "This form was not sent from the review page.")
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return refuse(403, "This form was not sent from the review page.")
        if not hmac.compare_digest(form.get("csrf", "").encode(), self.csrf.encode()):
            return refuse(403, "This form does not carry the page's token. Reload the page and try again.")
        return None


def _inside(request: Request) -> bool:
    """Whether the `to` of an entry is a path of this server."""
    to = request.query_params.get("to", "/")
    return to.startswith("/") and not to.startswith("//") and "\\" not in to


async def read_form(request: Request) -> dict[str, str] | None:
    """A posted form, the last of equal names; None if it is too large or not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding="utf-8", max_num_fields=5000))
    except (UnicodeDecodeError, ValueError):
        return None


def refuse(status: int, why: str) -> Response:
    """A refusal in plain words."""
    return PlainTextResponse(why + "\n", status)
