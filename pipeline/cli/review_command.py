"""`forge review`: look at what waits and decide, on a page or in the terminal."""

from __future__ import annotations

import time

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import budget_of, budget_option, count_of, json_option, print_json, project, say, show_findings
from pipeline.project import Project
from pipeline.review import Decision, EditionState


@click.command()
@click.argument("post", required=False)
@click.option("--edition", type=click.Choice(["scientist", "manager"]), default=None, help="Only this edition.")
@click.option("--by", "who", default=None, metavar="NAME", help="Reviewer (default: git's user.name).")
@click.option("--list", "only_list", is_flag=True, help="Show what waits and stop.")
@click.option("--page/--text", "page", default=None, help="On a page, or here (default: a page where a person sits).")
@budget_option
@json_option
def command(
    post: str | None,
    edition: str | None,
    who: str | None,
    only_list: bool,
    page: bool | None,
    budget: str | None,
    as_json: bool,
) -> None:
    """Go through every edition that waits, what blocks first: findings, preview, changes; approve or send back.

    Opens a page that only this machine can reach; with --text the same in the terminal. Without a terminal (or with
    --list or --json) it shows what waits; `forge approve` and `forge sendback` decide.

    \b
    Examples:
      forge review
      forge review decision-making-101
      forge review --text --edition manager
    """
    import sys

    from pipeline.evidence import gather_all, pick_post
    from pipeline.review import edition_state

    here = project()
    if page is None:
        page = sys.stdin.isatty() and edition is None
    page = page and not (as_json or only_list)
    if page and post is None:
        _serve(here, "", who, budget)
        return
    evidences, _ = gather_all(here, budget_of(here, budget))
    if post is not None:
        evidences = [pick_post(evidences, post)]
    if page:
        _serve(here, evidences[0].post.slug, who, budget)
        return
    states = [
        edition_state(here, evidence, name, queue=True)
        for evidence in evidences
        for name in ("scientist", "manager")
        if edition in (None, name)
    ]
    waiting = sorted((s for s in states if s.state != "approved"), key=lambda s: -len(s.errors))
    if as_json:
        print_json([state.to_json() for state in waiting])
        return
    if not waiting:
        say("nothing waits for review")
        return
    for state in waiting:
        say(f"{state.slug} · {state.edition}: {state.state}, {count_of(len(state.errors), 'error')}")
        if only_list or not sys.stdin.isatty():
            _show_reopened(state)
    if only_list or not sys.stdin.isatty():
        say("decide with: forge approve SLUG --edition EDITION, or forge sendback SLUG --edition EDITION --reason TEXT")
        return
    for state in waiting:
        if state.draft is not None and not _review_one(here, state, who, budget):
            break


def _serve(here: Project, post: str, who: str | None, budget: str | None) -> None:
    """The review page until Ctrl-C; it opens by itself where there is a desktop."""
    import webbrowser

    from pipeline.cli.approve_command import reviewer
    from pipeline.review_app.server import can_open, serve

    show = webbrowser.open if can_open() else None
    serve(here, budget_of(here, budget), reviewer(here, who), slug=post, say=say, show=show)


def _review_one(here: Project, state: EditionState, who: str | None, budget: str | None) -> bool:
    """One edition at the keyboard. Returns whether to go on with the next."""
    from pipeline.cli.approve_command import reviewer
    from pipeline.evidence import gather_all, pick_post
    from pipeline.review import decide, edition_state, text_changes
    from pipeline.transaction import locked

    began = time.monotonic()
    while True:
        assert state.draft is not None
        evidences, _ = gather_all(here, budget_of(here, budget))
        evidence = pick_post(evidences, state.slug)
        state = edition_state(here, evidence, state.edition, queue=True)
        assert state.draft is not None
        say()
        say(click.style(f"{evidence.post.title} · {state.edition} edition", bold=True))
        say(f"{here.relative(state.draft.path)} · {state.state}")
        if state.review is not None and state.review.reason:
            say(f"last time: {state.review.decision} by {state.review.who}: {state.review.reason}")
        show_findings(state.findings)
        if not state.findings:
            say("no findings")
        _show_reopened(state)
        choice = click.prompt(
            "[p]review  [d]iff  [e]dit  [a]pprove  [s]end back  [n]ext  [q]uit",
            type=click.Choice(list("pdeasnq")), show_choices=False, prompt_suffix=" > ",
        )  # fmt: skip
        seconds = int(time.monotonic() - began)
        if choice == "q":
            return False
        if choice == "n":
            return True
        if choice == "p":
            from pipeline.review import preview_page

            click.echo_via_pager(preview_page(here, evidence, state.draft).text)
        elif choice == "d":
            click.echo_via_pager(text_changes(here, state) or "no change since the last approval")
        elif choice == "e":
            click.edit(filename=str(state.draft.path))
        else:
            reason = click.prompt("reason") if choice == "s" else ""
            decision: Decision = "sent-back" if choice == "s" else "approved"
            confirmed = [] if choice == "s" or state.errors else _confirmed(here, state)
            if confirmed is None:
                say("then it needs a role, or other words; nothing was recorded")
                continue
            try:
                with locked(here):
                    who_decides = reviewer(here, who)
                    decide(
                        here, evidence, state.edition, decision, who_decides,
                        reason=reason, seconds=seconds, seen=state, confirmed=confirmed,
                    )  # fmt: skip
            except (CannotRun, OSError) as refused:  # blocked, changed meanwhile, no room: the person stays before it
                say(click.style(str(refused).partition("\n")[0], fg="red"))
                continue
            sent_back = "sent back; the reason goes into the next draft"
            say(sent_back if choice == "s" else click.style("approved", fg="green"))
            return True


def _confirmed(here: Project, state: EditionState) -> list[str] | None:
    """Each entry of the review queue that no earlier approval settled, put to the person: all of them, or None as soon
    as one needs backing."""
    from pipeline.review import last_approved, queued

    approval, _ = last_approved(here, state.slug, state.edition)
    known = approval.confirmed if approval is not None else ()
    entries = list(dict.fromkeys(queued(finding) for finding in state.queue if queued(finding) not in known))
    for number, entry in enumerate(entries, 1):
        say(f"{number} of {len(entries)}: {entry}")
        fine = click.prompt(
            "does it only explain, so that it needs no backing? [y]es  [n]o", type=click.Choice(["y", "n"]),
            show_choices=False, prompt_suffix=" > ",
        )  # fmt: skip
        if fine == "n":
            return None
    return entries


def _show_reopened(state: EditionState) -> None:
    """The sentences the last approval no longer covers, as they were and as they read now; the rest stays approved."""
    if not state.reopened:
        return
    say(click.style(state.summary, bold=True))
    for sentence in state.reopened:
        place = f"line {sentence.line}" if sentence.line else "taken out"
        say(f"  {place}, {'; '.join(sentence.messages) or sentence.why}")
        if sentence.old:
            say(click.style(f"    - {sentence.old}", fg="red"))
        if sentence.new:
            say(click.style(f"    + {sentence.new}", fg="green"))
