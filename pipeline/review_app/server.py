"""The server: routes behind the guard, pages from templates, one process that ends with Ctrl-C.

GET  /enter?token=…         the one-time address
GET  /                      what waits, in order of what blocks
GET  /review/SLUG           one post
POST /review/SLUG           one form; its button `do` says what: keep, save, overwrite, merge, drop, open, approve, send
GET  /review/SLUG/stamp     changes when the files do
GET  /frame/KEY/BUILD/…     the built editions, under an address that gives only these
GET  /static/… /fonts/…     style, script, type
"""

from __future__ import annotations

import mimetypes
import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from experiments.kit.contract import Budget
from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS, Edition
from pipeline.merge import Keep
from pipeline.project import Project
from pipeline.review_app.desk import Desk, Refused, base_hash, sheet_text
from pipeline.review_app.frames import Frames
from pipeline.review_app.guard import HEADERS, PAGE_POLICY, Guard, frame_policy, read_form, refuse
from pipeline.review_app.worddiff import passages
from pipeline.status import project_status

HERE = Path(__file__).parent
STATES = {
    "findings": "blocked", "stale": "stale", "waiting": "waiting", "sent-back": "sent back", "missing": "no draft",
    "approved": "approved", "published": "published",
}  # fmt: skip
ORDER = tuple(STATES)
SAID = {
    "approve": "approved", "send": "sent back; the reason goes into the next draft", "save": "saved",
    "overwrite": "saved", "settle": "saved",
}  # fmt: skip
KEEPS: tuple[Keep, ...] = ("mine", "theirs", "both")


class App:
    """One server over one project: its desk, its guard, its builds and its templates."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self.desk, self.guard, self.frames = desk, guard, Frames(desk.project)
        self._said: dict[str, str] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    # ---- pages ----

    def queue(self, request: Request) -> Response:
        """What waits, in order of what blocks."""
        posts: dict[str, dict[str, Any]] = {}
        for week in project_status(self.desk.project, self.desk.budget):
            for entry in week.editions:
                post = posts.setdefault(
                    entry["post"], {"slug": entry["post"], "title": entry["title"], "week": week.number, "editions": []}
                )
                post["editions"].append(entry)
        drafted = [post for post in posts.values() if any(e["state"] != "missing" for e in post["editions"])]
        rows = sorted(drafted, key=lambda post: min(self._rank(e) for e in post["editions"]))
        done = [post for post in rows if all(e["state"] in ("approved", "published") for e in post["editions"])]
        return self._page("queue.html", waiting=[post for post in rows if post not in done], done=done)

    @staticmethod
    def _rank(entry: Mapping[str, Any]) -> tuple[int, int]:
        return ORDER.index(entry["state"]), -int(entry["errors"])

    def post(self, slug: str, refused: Refused | None = None, did: str = "") -> Response:
        """One post under review."""
        packet = self.desk.packet(slug)
        memory = self.desk.memory(slug)
        return self._page(
            "post.html",
            status=409 if refused else 200,
            packet=packet,
            memory=memory,
            slug=slug,
            build=self.frames.open(packet),
            stamp=self.desk.stamp(slug),
            refused=refused,
            did=did or self._said.pop(slug, ""),
            text_of=lambda sheet: sheet_text(sheet, memory),
            base_of=lambda sheet: base_hash(sheet, memory),
            compare=passages,
            editor=self.desk.editor,
            who=self.desk.who,
        )

    def _page(self, name: str, status: int = 200, **values: Any) -> Response:
        html = self._templates.get_template(name).render(
            csrf=self.guard.csrf,
            frame_key=self.guard.frame_key,
            states=STATES,
            site=self.desk.project.settings.site_name,
            **values,
        )
        return HTMLResponse(html, status)

    def message(self, title: str, text: str, status: int) -> Response:
        """A page that says what went wrong."""
        return self._page("message.html", status, title=title, text=text)

    # ---- actions ----

    def act(self, slug: str, form: Mapping[str, str]) -> Response:
        """What the pressed button asks for. A refusal shows the page again, with everything typed still in it."""
        desk = self.desk
        desk.known(slug)  # before anything is remembered under its name
        desk.keep(slug, form)
        action, _, rest = form.get("do", "keep").partition(":")
        named, _, base = rest.partition(":")
        edition: Edition | None = next((e for e in EDITIONS if e == named), None)
        did = ""
        try:
            if action == "keep":
                return Response(status_code=204) if "beacon" in form else RedirectResponse(f"/review/{slug}", 303)
            if edition is None:
                return refuse(400, "which edition?")
            text = form.get(f"text-{edition}", "").replace("\r\n", "\n")
            if action in ("save", "overwrite"):
                desk.save(slug, edition, text, base or form.get(f"base-{edition}", ""))
            elif action == "settle":
                number, keep, base = [*base.split(":"), "", ""][:3]
                chosen: Keep | None = next((k for k in KEEPS if k == keep), None)
                if chosen is None or not number.isdecimal():
                    return refuse(400, "which place, and which text?")
                desk.settle(slug, edition, int(number), chosen, base)
            elif action == "merge":
                conflicts = desk.merged(slug, edition)
                did = f"both texts of the {edition} edition are merged below and not saved yet"
                did += f"; {conflicts} place{'s' if conflicts > 1 else ''} to choose" if conflicts else ""
            elif action == "drop":
                desk.drop(slug, edition)
                did = f"the {edition} text below is the one on disk"
            elif action == "open":
                desk.open_editor(slug, edition)
                did = f"the {edition} edition is open in your editor; this page notices what it saves"
            elif action == "approve":
                desk.decide(
                    slug, edition, "approved", form.get(f"seen-{edition}", ""), form.get(f"reason-{edition}", "")
                )
            elif action == "send":
                desk.decide(
                    slug, edition, "sent-back", form.get(f"seen-{edition}", ""), form.get(f"reason-{edition}", "")
                )
            else:
                return refuse(400, f"no action {action}")
        except Refused as refusal:
            return self.post(slug, refusal)
        self._said[slug] = did or f"{edition.capitalize()} edition {SAID[action]}"
        return RedirectResponse(f"/review/{slug}", 303)

    def frame(self, request: Request) -> Response:
        """A file of a build."""
        if request.path_params["key"] != self.guard.frame_key:
            return refuse(404, "no such page")
        name = request.path_params["name"]
        found = self.frames.read(request.path_params["build"], name)
        if found is None:
            return refuse(404, "This preview is gone; reload the review page.")
        if isinstance(found, str):
            return refuse(500, f"The preview could not be built.\n\n{found}")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(found, media_type=kind, headers={"Access-Control-Allow-Origin": "null"})

    def file(self, folder: Path, request: Request) -> Response:
        """Style, script and type."""
        path = (folder / request.path_params["name"]).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            return refuse(404, "no such file")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(path.read_bytes(), media_type=kind, headers={"Access-Control-Allow-Origin": "null"})


def make_app(app: App) -> Starlette:
    """The routes, each behind the guard. Handlers are plain functions and run in threads."""
    guard = app.guard

    def answered(work: Callable[[], Response], policy: str = PAGE_POLICY) -> Response:
        try:
            response = work()
        except CannotRun as error:
            response = app.message("This could not be shown", str(error), 404 if "no post" in str(error) else 422)
        except OSError as error:
            response = app.message("The disk did not do what was asked", f"{error}; nothing was recorded.", 507)
        response.headers.update({**HEADERS, "Content-Security-Policy": policy})
        return response

    def get(work: Callable[[Request], Response], session: bool = True, policy: str = PAGE_POLICY) -> Any:
        async def handler(request: Request) -> Response:
            def go() -> Response:
                return guard.stranger(request) or (guard.outsider(request) if session else None) or work(request)

            return await run_in_threadpool(answered, go, policy)

        return handler

    async def post(request: Request) -> Response:
        def closed() -> Response | None:
            return guard.stranger(request) or guard.outsider(request)

        form = None if closed() else await read_form(request)

        def go() -> Response:
            if (no := closed()) is not None:
                return no
            if form is None:
                return refuse(413, "not a form, or too large")
            return guard.forged(request, form) or app.act(request.path_params["slug"], form)

        return await run_in_threadpool(answered, go)

    preview = frame_policy(guard.origin)
    return Starlette(
        routes=[
            Route("/enter", get(guard.enter, session=False), methods=["GET"]),
            Route("/", get(app.queue), methods=["GET"]),
            Route("/review/{slug}", get(lambda request: app.post(request.path_params["slug"])), methods=["GET"]),
            Route("/review/{slug}", post, methods=["POST"]),
            Route(
                "/review/{slug}/stamp",
                get(lambda request: JSONResponse({"stamp": app.desk.stamp(request.path_params["slug"])})),
                methods=["GET"],
            ),
            Route("/frame/{key}/{build}/{name:path}", get(app.frame, session=False, policy=preview), methods=["GET"]),
            Route("/static/{name:path}", get(partial(app.file, HERE / "static"), session=False), methods=["GET"]),
            Route(
                "/fonts/{name:path}",
                get(partial(app.file, app.desk.project.site / "assets" / "fonts"), session=False),
                methods=["GET"],
            ),
        ]
    )


def serve(
    project: Project,
    budget: Budget,
    who: str,
    *,
    slug: str = "",
    say: Callable[[str], None] = print,
    show: Callable[[str], Any] | None = None,
    ready: Callable[[uvicorn.Server, str], None] | None = None,
) -> None:
    """Serve the review page on 127.0.0.1 at a free port until interrupted.

    `show` is handed the one-time address to open it in a browser, `ready` the running server, for tests.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # whoever opens the address before the server runs waits, and is not refused
        guard = Guard(listener.getsockname()[1])
        app = App(Desk(project, budget, who), guard)
        server = uvicorn.Server(
            uvicorn.Config(make_app(app), log_level="warning", access_log=False, server_header=False)
        )
        address = guard.address + (f"&to=/review/{slug}" if slug else "")
        say(f"review at {address}")
        say("the address works once; Ctrl-C ends the review, and what is decided or saved stays")
        if show is not None:
            show(address)
        if ready is not None:
            ready(server, address)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            pass
        finally:
            app.frames.close()


def can_open() -> bool:
    """Whether a browser can be expected on this machine: there is a desktop, or the system opens one itself."""
    import sys

    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
