"""`forge resource`: a new paper, book, course or tool, into the bibliography and its cluster."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import project, say
from pipeline.cli.planning import Planning, asked, planning


@click.group()
def command() -> None:
    """Add what you found to the bibliography and to the cluster it belongs to.

    \b
    Example:
      forge resource add
    """


@command.command()
@click.option("--title", default=None)
@click.option(
    "--authors", default=None, help='In BibTeX\'s order: "Vaswani, Ashish and Shazeer, Noam"; {OpenAI} as it is.'
)
@click.option("--year", default=None, help="Four digits; empty where there is none.")
@click.option("--kind", default=None, help="paper, book, course, video, tool, blog, dataset or site.")
@click.option("--url", default=None, help="Its address; arXiv addresses give the id too.")
@click.option("--doi", default="", help="Its DOI.")
@click.option("--arxiv", default="", help="Its arXiv id, such as 1706.03762.")
@click.option("--key", default=None, help="Its key in the bibliography (default: made from author and year).")
@click.option("--cluster", default=None, metavar="NUMBER", help="The cluster it belongs to; empty for none.")
@click.option("--priority", default=None, help="primary, supplementary, optional, theory, video, … (default: primary).")
@click.option("--where", default="", help="The place in it to read, such as ch. 3.")
@click.option("--topics", default=None, help='What it covers, by commas: "PPO, reward modeling".')
@click.option("--note", default=None, help="How it fits with what is there.")
def add(
    title: str | None,
    authors: str | None,
    year: str | None,
    kind: str | None,
    url: str | None,
    doi: str,
    arxiv: str,
    key: str | None,
    cluster: str | None,
    priority: str | None,
    where: str,
    topics: str | None,
    note: str | None,
) -> None:
    """Add a source, asking for what the options leave out. A work that is there already is named, not doubled.

    The clusters it would suit by title and topics are shown before the question. Where nobody answers, the title and
    the authors must be given; the rest has a default.

    \b
    Examples:
      forge resource add
      forge resource add --title "Attention Is All You Need" --authors "Vaswani, Ashish" --year 2017 --kind paper \\
          --url https://arxiv.org/abs/1706.03762 --cluster 5.1 --priority primary
    """
    from pipeline.additions import DATED, NewSource, suggested_key, suited, with_resource, with_source
    from pipeline.bibliography import arxiv_id, check, is_address, same_work
    from pipeline.finding import did_you_mean
    from pipeline.plan import Cluster
    from pipeline.plan.shared import RESOURCE_KINDS
    from pipeline.sources import MEDIA
    from pipeline.transaction import Transaction, locked

    made = planning(project())

    def filled(value: str) -> str:
        if not value.strip():
            raise ValueError("it cannot be empty")
        return value.strip()

    def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
        def checked(value: str) -> str:
            if value.strip() in known:
                return value.strip()
            raise ValueError(f"'{value}' is none of {', '.join(known)}; {did_you_mean(value, known)}".rstrip("; "))

        return checked

    def a_year(value: str) -> str:
        if value.strip() and not re.fullmatch(r"\d{4}", value.strip()):
            raise ValueError(f"'{value}' is no year; write four digits, or nothing")
        return value.strip()

    def needed_year(value: str) -> str:
        if not value.strip():
            raise ValueError(f"a {medium} needs the year it appeared in")
        return a_year(value)

    def an_address(value: str) -> str:
        if value.strip() and not is_address(value.strip()):
            raise ValueError(f"'{value}' is no address; write it in full (https://…), or nothing")
        return value.strip()

    def a_cluster(value: str) -> str:
        try:
            return str(made.entry("cluster", value.strip()).number) if value.strip() else ""
        except CannotRun as error:
            raise ValueError(str(error)) from None

    from_title = asked("Title", title, filled)
    address = asked("Address (https://…)", url, an_address, "")
    probe = NewSource("x", "site", from_title, "X", "2000", address, doi, arxiv).read()  # to compare, not to keep
    eprint = arxiv_id(probe)
    draft = NewSource("x", "site", from_title, "X", "2000", address, doi, eprint)
    there = same_work(probe, made.sources)
    if there is not None:
        new_key = there[0]
        say(f"{new_key} is there already, with the same {there[1]}: {made.sources[new_key].title}")
    else:
        people = asked("Authors (Family, Given and Family, Given)", authors, filled)
        when = asked("Year", year, a_year, "")
        medium = asked("Kind", kind, one_of(MEDIA), "paper")
        if not when and medium in DATED:
            when = asked(f"Year (a {medium} needs one)", year, needed_year)
        covered = asked("Topics, by commas (nothing for none)", topics, str.strip, "")
        suggestion = suggested_key(people, from_title, when, set(made.sources))
        new_key = key or suggestion
        if not re.fullmatch(r"[A-Za-z0-9][\w:.+-]*", new_key):
            raise CannotRun(f"'{new_key}' cannot be a key; write letters and digits, such as {suggestion}")
        if new_key in made.sources:
            raise CannotRun(f"the key {new_key} belongs to “{made.sources[new_key].title}”\n  fix: --key {suggestion}")
        draft = NewSource(new_key, medium, from_title, people, when, address, doi, eprint, covered)
        source = draft.read()
        wrong = [f for f in check({new_key: source}, [], "the new entry") if f.severity == "error"]
        if wrong:
            raise CannotRun("nothing was written:\n" + "\n".join(str(finding) for finding in wrong))
    if cluster is None:
        for fitting in suited(made.plan, (from_title, *draft.topics.split(",")))[:3]:
            say(f"  it may suit cluster {fitting.number}, {fitting.title}")
    number = asked("Cluster (nothing for none)", cluster, a_cluster, "")
    group = asked("Priority or kind", priority, one_of(RESOURCE_KINDS), "primary") if number else ""
    fits = asked("How it fits (nothing for none)", note, str.strip, "") if number else ""
    with locked(made.project):
        transaction = Transaction(made.project)
        if there is None:
            path = made.project.notes / "references.bib"
            transaction.write(path.resolve(), with_source(_bibliography(path), draft).encode("utf-8"))
        if number:
            entry = made.entry("cluster", number)
            assert isinstance(entry, Cluster)
            text = with_resource(entry, group, new_key, where, fits)
            transaction.write(*made.rewritten(entry.note, text))
        transaction.commit()
    _told(made, new_key, there is None, number)


def _bibliography(path: Path) -> str:
    """The text of the bibliography, '' where there is none. Raises CannotRun where bytes would be lost."""
    try:
        return path.read_bytes().decode("utf-8") if path.is_file() else ""
    except UnicodeDecodeError:
        raise CannotRun(
            f"{path.parent.name}/{path.name} is not UTF-8; nothing was written\n  fix: save it so"
        ) from None


def _told(made: Planning, key: str, is_new: bool, number: str) -> None:
    parts = [f"{key} added to {made.vault.prefix}/references.bib"] if is_new else []
    parts += [f"{key} added to cluster {number}"] if number else []
    say("; ".join(parts) or "nothing to add")
