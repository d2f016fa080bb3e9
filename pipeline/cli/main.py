"""`forge`: the commands, thin over the modules. Each is loaded when it is used, so `forge --help` is quick.

Exit codes everywhere: 0 ok, 1 findings, 2 could not run.
"""

from __future__ import annotations

import errno
import importlib
import sys

import click

from experiments.kit.errors import CannotRun

# name -> one line for `forge --help`; the command lives in pipeline/cli/<name>_command.py as `command`.
COMMANDS = {
    "week": "Bring a week up to date: run, draft, check, preview",
    "run": "Run studies whose code or sweep changed",
    "facts": "List the facts and claims of a week, or explain one",
    "why": "Walk back from a sentence or a value to its run and line of code",
    "draft": "Write or re-draft a week's posts in both editions",
    "cost": "What drafting with a model cost, by week, post and model",
    "check": "Check drafts, or any Markdown as an edition",
    "review": "Review what waits: findings, preview, diff, decision",
    "conflicts": "Settle places that a new draft and a person both changed",
    "approve": "Approve an edition as it stands",
    "sendback": "Send an edition back with a reason",
    "publish": "Render approved editions into site/",
    "site": "Build the site, or serve a preview with pending drafts",
    "status": "What is done, stale and waiting, and the next step",
    "vault": "Check the notes of a vault",
    "plan": "The plan: all of it, one entry, a topic, its counts, its start",
    "next": "What to do today",
    "start": "Mark an entry of the plan as in progress",
    "done": "Mark an entry of the plan as done",
    "gap": "Note a knowledge gap, or list the open ones",
    "resource": "Add a source to the bibliography and its cluster",
    "materials": "What to read for a session or cluster, as one paste",
    "calendar": "Sessions, reviews and due posts as an .ics file",
    "new": "A template for a week's note",
    "sources": "Check the bibliography",
}


class Commands(click.Group):
    """A group whose commands are imported only when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pipeline.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `forge {near[0]}`?" if near else "see `forge --help`"
            raise click.UsageError(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="knowledge-forge")
def forge() -> None:
    """From weekly notes and runs to two posts in two editions, with every number bound to its run.

    \b
    Example:
      forge week 1        run week 1's studies, draft its posts, check them, build the preview
      forge review        look at what waits, approve or send back
      forge publish       put what is approved into site/
    """


def main() -> None:
    """Entry point: a CannotRun and a file that cannot be read or written become a message and exit code 2, an interrupt
    130, anything else stays loud."""
    try:
        forge(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("stopped; finished work is kept", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except CannotRun as error:
        click.echo(f"forge: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # writing says so without a name
            click.echo(f"forge: {error.strerror}; nothing was half written\n  fix: make room, run this again", err=True)
            sys.exit(2)
        if error.filename is None:  # no file that could not be read or written: a fault of the program
            raise
        click.echo(f"forge: {error.filename}: {error.strerror}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
