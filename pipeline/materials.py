"""The materials of a session or cluster as a list to paste into NotebookLM: links, and files of the vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.plan import Cluster, Plan, Resource, Session
from pipeline.sources import Source


@dataclass(frozen=True, slots=True)
class Material:
    """One material: what it is called, where it is read, its address, and what is wrong with the address as given."""

    title: str
    where: str
    link: str
    remark: str = ""
    group: str = ""


def materials(entry: Session | Cluster, sources: Mapping[str, Source]) -> list[Material]:
    """Everything to read, in the entry's order; each address once, at its first place."""
    groups = entry.materials if isinstance(entry, Session) else entry.resources
    return [_material(resource, group, sources) for group, listed in groups.items() for resource in listed]


def _material(resource: Resource, group: str, sources: Mapping[str, Source]) -> Material:
    source = sources.get(resource.source)
    if source is None:
        return Material(resource.text or resource.source, resource.where, resource.link, "", group)
    return Material(source.title, resource.where, resource.link or source.link, source.remark, group)


def files(entry: Session | Cluster, plan: Plan) -> list[str]:
    """The notes to upload beside the addresses: the entry's own, and those of its clusters or its pair."""
    paths = entry.clusters if isinstance(entry, Session) else (entry.pair,)
    return [entry.note.file, *(plan.by_path[path][1].note.file for path in paths if path in plan.by_path)]


def paste(entry: Session | Cluster, listed: list[Material], plan: Plan) -> str:
    """One text: first the addresses, one a line, as NotebookLM takes them; then what has none, by name; then files."""
    links = list(dict.fromkeys(material.link for material in listed if material.link))
    without = list(dict.fromkeys(material.title for material in listed if not material.link))
    parts = [links, ["Without an address:", *(f"- {title}" for title in without)] if without else []]
    parts += [["Files:", *files(entry, plan)]]
    return "\n\n".join("\n".join(part) for part in parts if part)
