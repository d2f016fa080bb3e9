"""`forge cost`: what was spent on models."""

from __future__ import annotations

import click

from pipeline.cli.common import json_option, print_json, project, say


@click.command()
@click.option("--week", type=int, default=None, metavar="N", help="Only this week.")
@json_option
def command(week: int | None, as_json: bool) -> None:
    """Report what drafting cost, by week, post and model: calls, tokens, cached share, US dollars.

    It is read from drafts/POST/calls.jsonl, which lies with the post and outlives .forge/.

    \b
    Examples:
      forge cost
      forge cost --week 1 --json
    """
    from pipeline.writers import cost
    from pipeline.writers.calls import CallLog
    from pipeline.writers.purse import usd

    lines = [line for line in CallLog(project()).all_lines() if week is None or line.week == week]
    rows, total = cost.by_week_post_model(lines), cost.total(lines)
    if as_json:
        named = [
            dict(zip(("week", "post", "model"), key, strict=True)) | spent.to_json() for key, spent in rows.items()
        ]
        print_json({"rows": named, "total": total.to_json()})
        return
    if not lines:
        say("no calls on record: nothing was spent" + (f" in week {week}" if week is not None else ""))
        return
    say(f"{'week':>4}  {'post':<32} {'model':<24} {'calls':>5} {'prompt':>9} {'cached':>6} {'answers':>8} {'USD':>9}")
    shown = [(str(number), post, model, spent) for (number, post, model), spent in rows.items()]
    for number, post, model, spent in [*shown, ("", "all", "", total)]:
        answers = spent.usage["output"]
        prompt = sum(spent.usage.values()) - answers
        tokens = f"{prompt:>9,} {spent.cached:>6.0%} {answers:>8,}"
        say(f"{number:>4}  {post:<32} {model:<24} {spent.calls:>5} {tokens} {usd(spent.usd):>9}")
    if total.batched:
        say(f"in batches: {total.batched} of {total.calls} calls, {usd(total.batched_usd)} at half the price")
    if total.lost_calls:
        say(f"possibly billed beside: {usd(total.lost_usd)} for {total.lost_calls} answers that broke off")
    if total.unpriced:
        say(f"without a known price, and in no sum: {total.unpriced} calls (`forge cost --json` names them)")
