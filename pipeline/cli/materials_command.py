"""`forge materials`: what to read for a session or cluster, as one paste."""

from __future__ import annotations

import click

from pipeline.cli.common import json_option, print_json, progress, project, say
from pipeline.cli.planning import kind_of, planning


@click.command()
@click.argument("kind", metavar="session|cluster")
@click.argument("number")
@click.option("--titles", is_flag=True, help="Titles and groups beside the addresses, to read instead of to paste.")
@json_option
def command(kind: str, number: str, titles: bool, as_json: bool) -> None:
    """Print the materials of a session or cluster for NotebookLM: addresses, one a line, then the notes to upload.

    \b
    Examples:
      forge materials session 3
      forge materials cluster 1.2 --titles
    """
    from pipeline.cli.plan_views import plain
    from pipeline.materials import files, materials, paste
    from pipeline.plan import Cluster, Session

    made = planning(project())
    entry = made.entry(kind_of(kind, ("session", "cluster")), number)
    assert isinstance(entry, Session | Cluster)
    listed = materials(entry, made.sources)
    if as_json:
        print_json({"materials": plain(listed), "files": files(entry, made.plan)})
        return
    if titles:
        group = ""
        for material in listed:
            if material.group != group:
                group = material.group
                say(click.style(group[0].upper() + group[1:], bold=True))
            where = f", {material.where}" if material.where else ""
            say(f"  {material.title}{where}" + (click.style(f"  {material.link}", dim=True) if material.link else ""))
    else:
        say(paste(entry, listed, made.plan))
    for remark in dict.fromkeys(f"{material.link}: {material.remark}" for material in listed if material.remark):
        progress(remark)
