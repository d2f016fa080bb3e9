"""`forge draft`: write a week's posts from the evidence, or say what that would cost."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import (
    budget_of,
    budget_option,
    count_of,
    finish,
    json_option,
    print_json,
    progress,
    project,
    say,
    show_findings,
)

if TYPE_CHECKING:
    from pipeline.drafts import Saved
    from pipeline.writers.estimate import Estimate
    from pipeline.writers.outbox import Batch


class Dollars(click.ParamType[Decimal]):
    """US dollars, exact."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            amount = Decimal(0)
        if amount.is_nan() or not 0 < amount < 1_000_000:
            self.fail(f"{value!r} is no amount of US dollars, such as 2.50", param, ctx)
        return amount


@click.command()
@click.argument("number", type=int)
@click.option("--writer", default="auto", show_default=True, metavar="NAME", help="offline, anthropic, local or auto.")
@click.option("--post", default=None, metavar="SLUG", help="Only this post.")
@click.option("--again", is_flag=True, help="Draft again although nothing changed; your edits are merged.")
@click.option("--estimate", is_flag=True, help="Only say what it would cost; nothing is written.")
@click.option("--budget-usd", type=Dollars(), default=None, help="Stop before a call that could exceed this.")
@click.option("--batch", is_flag=True, help="Use Message Batches: half the price, answers within a day.")
@click.option("--wait", is_flag=True, help="With --batch: wait until everything is written.")
@budget_option
@json_option
def command(
    number: int, writer: str, post: str | None, again: bool, estimate: bool, budget_usd: Decimal | None, batch: bool,
    wait: bool, budget: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write both editions of week NUMBER's posts, or bring them up to date with changed evidence.

    Edited paragraphs stay yours; where you and the writer changed the same one, both texts are kept for you to choose.
    Every answer of a model is kept under .forge/calls/, so what arrived is never paid for twice: stop and run it again
    as you like. With --batch, a command that finds its batch still in progress says so and ends with exit code 0.

    \b
    Examples:
      forge draft 1
      forge draft 1 --writer offline --post decision-making-101 --again
      forge draft 1 --writer anthropic --estimate
      forge draft 1 --writer anthropic --budget-usd 1.50
      forge draft 1 --writer anthropic --batch          (run it again later to go on)
    """
    from pipeline import spending
    from pipeline.drafting import draft_posts
    from pipeline.evidence import gather, open_vault, pick_post
    from pipeline.transaction import locked
    from pipeline.writers import choose

    if wait and not batch:
        raise CannotRun("--wait goes with --batch\n  fix: add --batch, or leave --wait out")
    here = project()
    evidences, findings = gather(here, open_vault(here), number, budget_of(here, budget))
    if post is not None:
        evidences = [pick_post(evidences, post)]
    findings += [finding for evidence in evidences for finding in evidence.findings]
    if estimate:
        priced = spending.price_posts(here, evidences, writer, progress, again, batch)
        if as_json:
            print_json({"writer": choose(writer), "estimate": priced.to_json() if priced is not None else None})
        else:
            show_estimate(priced, choose(writer))
        return
    limit = spending.budget_of(here, budget_usd)
    waiting: list[Batch] = []
    failed: list[CannotRun] = []
    with locked(here):
        if batch:
            posted = spending.draft_in_batches(
                here, evidences, writer, progress, again=again, budget_usd=limit, wait=wait
            )
            saved, waiting, failed = posted.saved, posted.waiting, posted.failed
        else:
            saved = draft_posts(here, evidences, writer, progress, again, limit)
    if as_json:
        batches = [{"id": each.id, "calls": len(each.calls), "submitted": each.when} for each in waiting]
        print_json({
            "drafts": [s.__dict__ for s in saved], "batches": batches, "failed": [str(error) for error in failed],
            "findings": [f.to_json() for f in findings],
        })  # fmt: skip
    else:
        show_findings(findings)
        show_saved(saved, choose(writer))
        for each in waiting:
            say(f"batch {each.id} ({count_of(len(each.calls), 'call')}, submitted {each.when[:16]} UTC) is in progress")
        if waiting:
            flags = f" --writer {writer}" if writer != "auto" else ""
            say(f"next: forge draft {number}{flags} --batch, which goes on from here; with --wait it waits")
        elif not failed:
            say("up to date" if not saved else "next: forge check")
    if failed:
        raise CannotRun("\n".join(str(error) for error in failed))
    finish(findings)


def show_saved(saved: list[Saved], writer: str) -> None:
    """What was written, one line a draft."""
    for each in saved:
        kept = f", {count_of(each.kept_edits, 'edit')} of yours kept" if each.kept_edits else ""
        conflicts = f", {count_of(each.conflicts, 'conflict')} to settle" if each.conflicts else ""
        say(f"drafts/{each.slug}/{each.edition}.md: {each.outcome} by {writer}{kept}{conflicts}")


def show_estimate(priced: Estimate | None, writer: str) -> None:
    """The price of what is due, one line an edition, and what it rests on."""
    from pipeline.writers.purse import usd

    if priced is None:
        say("nothing to pay: " + ("the offline writer asks no model" if writer == "offline" else "all is up to date"))
        return
    say(f"{'edition':<46} {'prompt':>8} {'stable':>8} {'calls':>9} {'answers':>16} {'likely':>9} {'worst':>9}")
    for row in priced.rows:
        name = f"{row.about.post}, {row.about.edition}"
        if row.kept:
            say(f"{name:<46} every answer is kept from before: nothing to pay")
            continue
        calls, answers = f"{row.calls_likely}..{row.calls_worst}", f"{row.output_likely:,}..{row.output_worst:,}"
        say(
            f"{name:<46} {row.prompt_tokens:>8,} {row.stable_tokens:>8,} {calls:>9} {answers:>16} "
            f"{usd(row.likely_usd):>9} {usd(row.worst_usd):>9}"
        )
    say(f"{'all':<46} {'':>8} {'':>8} {'':>9} {'':>16} {usd(priced.likely_usd):>9} {usd(priced.worst_usd):>9}")
    price = f"price since {priced.since}" if priced.since is not None else "free"
    say(f"{' then '.join(priced.models)}{', in batches' if priced.batch else ''}; {price} ({priced.source})")
    filled = f"as in {priced.measured_on} earlier calls" if priced.measured_on else "a guess: too few calls on record"
    say(f"likely: answers fill {priced.filled:.0%} of their limit ({filled}); worst: every call, continuation and turn")
