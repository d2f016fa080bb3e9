"""`forge conflicts`: places that a person and the writer both changed, side by side, and the choice between them."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, cast

import click

from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS, Edition
from pipeline.cli.common import count_of, json_option, print_json, project, say

if TYPE_CHECKING:
    from pipeline.drafts import Draft
    from pipeline.merge import Keep
    from pipeline.project import Project

KEYS = {"m": "mine", "t": "theirs", "b": "both"}


@dataclass(frozen=True)
class Waiting:
    """One conflict of a draft: in the body by its number there, or over a property by its key."""

    draft: Draft = field(compare=False)  # settling another conflict changes it
    line: int
    mine: str
    theirs: str
    number: int = -1
    key: str = ""


@click.command()
@click.argument("post", required=False)
@click.option("--edition", type=click.Choice(EDITIONS), default=None, help="Only this edition.")
@click.option("--line", type=int, default=None, help="Only the conflict that begins on this line.")
@click.option("--keep", type=click.Choice(["mine", "theirs", "both"]), default=None, help="Settle with this text.")
@json_option
def command(post: str | None, edition: Edition | None, line: int | None, keep: Keep | None, as_json: bool) -> None:
    """Show where a new draft met a person's edits, both texts side by side, and settle each place.

    At a terminal it asks for each; with --keep it settles all that are named. Exit 1 while conflicts wait.

    \b
    Examples:
      forge conflicts
      forge conflicts decision-making-101 --edition manager --line 42 --keep mine
    """
    from pipeline.transaction import locked

    here = project()
    found = list(waiting(here, post, edition, line))
    if line is not None and not found:
        raise CannotRun(f"no conflict begins on line {line}\n  fix: `forge conflicts` lists them with their lines")
    if as_json:
        print_json([_plain(here, one) for one in found])
        sys.exit(1 if found else 0)
    left = 0
    for one in reversed(found):  # from the end, so that lines and numbers before it stay
        say(
            click.style(f"{here.relative(one.draft.path)}:{one.line}" + (f" ({one.key})" if one.key else ""), bold=True)
        )
        say(side_by_side(one.mine, one.theirs, shutil.get_terminal_size().columns))
        chosen = keep or (_ask(one) if sys.stdin.isatty() else None)
        if chosen is None:
            left += 1
            continue
        with locked(here):
            settle_one(here, one, chosen)
        say(f"kept {chosen}")
    if not found:
        say("no conflicts")
    elif left:
        say(f"{count_of(left, 'conflict')} left; settle with --keep mine, theirs or both, or edit the file")
        sys.exit(1)


def waiting(here: Project, post: str | None, edition: Edition | None, line: int | None) -> Iterator[Waiting]:
    """The conflicts of the named drafts, in order. Raises CannotRun for a post without a draft."""
    from pipeline.drafts import draft_slugs, load_draft
    from pipeline.finding import did_you_mean
    from pipeline.merge import KEPT, conflicts

    slugs = draft_slugs(here)
    if post is not None and post not in slugs:
        raise CannotRun(
            f"no draft of {post}; {did_you_mean(post, slugs) or 'drafts are ' + (', '.join(slugs) or 'none')}"
        )
    for slug in [post] if post is not None else slugs:
        for name in EDITIONS if edition is None else (edition,):
            draft = load_draft(here, slug, name)
            if draft is None:
                continue
            lost = draft.front.get(KEPT) or {}
            at = next((n for n, row in enumerate(draft.text.split("\n"), 1) if row.startswith(f"{KEPT}:")), 1)
            for key in lost if isinstance(lost, dict) else ():
                if line in (None, at):
                    within, _, inner = key.partition(".")
                    mine = draft.front.get(key, (draft.front.get(within) or {}).get(inner) if inner else "")
                    yield Waiting(draft, at, f"{mine}", f"{lost[key]}", key=key)
            for number, conflict in enumerate(conflicts(draft.body)):
                start = draft.body_line + conflict.lines[0] - 1
                if line in (None, start):
                    yield Waiting(draft, start, conflict.mine, conflict.new, number)


def settle_one(here: Project, one: Waiting, keep: Keep) -> None:
    """Write the draft with one conflict settled. Raises CannotRun where the file changed since it was shown."""
    from experiments.kit.files import atomic_write
    from pipeline.drafts import compose, read_draft
    from pipeline.merge import settle, settle_property

    draft = read_draft(here, one.draft.path, one.draft.slug, one.draft.edition)
    if one not in waiting(here, draft.slug, draft.edition, one.line):
        raise CannotRun(f"{here.relative(draft.path)} changed meanwhile; nothing was written\n  fix: look again")
    if one.key:
        text = compose(settle_property(draft.front, one.key, keep), draft.body)
    else:
        head = draft.text[: len(draft.text) - len(draft.body)]
        gap = draft.body[: len(draft.body) - len(draft.body.lstrip("\n"))]
        text = head + gap + settle(draft.body, one.number, keep)
    atomic_write(draft.path, text)


def _ask(one: Waiting) -> Keep | None:
    asked = "[m]ine  [t]heirs  " + ("" if one.key else "[b]oth  ") + "[s]kip"
    options = ["m", "t", "s"] if one.key else ["m", "t", "b", "s"]
    choice = click.prompt(asked, type=click.Choice(options), show_choices=False, prompt_suffix=" > ")
    return cast("Keep", KEYS[choice]) if choice != "s" else None


def side_by_side(mine: str, theirs: str, width: int = 0) -> str:
    """Two texts in two columns, the person's on the left."""
    column = (max(60, min(width or 100, 160)) - 3) // 2
    left, right = (
        [row for line in text.split("\n") for row in textwrap.wrap(line, column) or [""]] for text in (mine, theirs)
    )
    rows = [("yours", "the writer's"), ("─" * column, "─" * column), *zip_longest(left, right, fillvalue="")]
    return "\n".join(f"{a:<{column}} │ {b}".rstrip() for a, b in rows)


def _plain(here: Project, one: Waiting) -> dict[str, object]:
    return {
        "file": here.relative(one.draft.path), "line": one.line, "key": one.key, "mine": one.mine, "theirs": one.theirs,
    }  # fmt: skip
