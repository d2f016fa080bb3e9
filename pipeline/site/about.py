"""What the theme says about each post beside its text: neighbours, series, origin of values, downloads, citation.

`about_posts` gives plain data by the post's key (`scientist/<slug>`), which the templates read from `extra.posts`.
Addresses in it are relative to the site's root; pages stand there without what the builder appends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from experiments.kit.files import sha256
from experiments.kit.record import EDITIONS
from pipeline.site import code
from pipeline.site.neighbours import Neighbours, neighbours
from pipeline.site.series import slug
from pipeline.site.shelf import DATA, Post, Shelf

CARDS = "assets/cards"


@dataclass(frozen=True)
class Imprint:
    """Whose site it is: its name, its author, its address with a slash at the end (empty where it has none yet)."""

    name: str
    author: str
    address: str = ""


def about_posts(shelf: Shelf, docs: Path, imprint: Imprint) -> dict[str, dict[str, Any]]:
    """All of it, for every post on the shelf."""
    files = code.files(shelf)
    out = {}
    for edition in EDITIONS:
        posts = shelf.of(edition)
        around = neighbours(posts)
        for post in posts:
            data = shelf.measured.get(post.key, {})
            card = f"{CARDS}/{post.key}.png"
            card = card if (docs / card).is_file() else ""
            out[post.key] = {
                **_place(shelf, post, around[post.key]),
                "cite": citation_key(imprint.author, post),
                "json_ld": json_ld(imprint, post, data, card),
                "sources": list(data.get("sources", {}).values()),
                "facts": _origins(data, files),
                "downloads": _downloads(docs, post, data),
                "code": [{"file": file, "page": files[file][:-3]} for file in _listed(data) if file in files],
                "card": card,
            }
    return out


def _place(shelf: Shelf, post: Post, around: Neighbours) -> dict[str, Any]:
    title, track = shelf.week(post.week)
    return {
        "week_title": title,
        "track": track,
        "track_id": slug(track),
        "series": [_link(each) | {"here": each is post} for each in around.week] if len(around.week) > 1 else [],
        "before": _link(around.before) if around.before else None,
        "after": _link(around.after) if around.after else None,
        "related": [_link(each) for each in around.related],
    }


def _link(post: Post) -> dict[str, Any]:
    return {"title": post.title, "page": post.key, "week": post.week, "minutes": post.minutes}


def _listed(data: Mapping[str, Any]) -> list[str]:
    return sorted({entry["file"] for entry in data.get("listings", {}).values()})


def _origins(data: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """What a value's popover says, by key, and the runs it names, by id; {} where the post has no data file."""
    if not data.get("facts"):
        return {}
    facts = {}
    for key, fact in data["facts"].items():
        low_high = fact.get("interval")
        how = {"parameter": "set, not measured"}.get(fact["kind"], fact["statistic"])
        facts[key] = {
            "what": fact["description"],
            "how": f"computed as {how}" if fact["kind"] == "derived" else how,
            "n": fact["n"],
            "interval": f"{low_high[0]:.4g} to {low_high[1]:.4g}" if low_high else "",
            "run": fact["run"],
            "machine": fact["machine"],
            "line": f"{fact['file']}:{fact['line']}" if fact.get("file") else "",
            "code": f"{files[fact['file']][:-3]}#L{fact['line']}" if fact.get("file") in files else "",
        }
    runs = {
        run["id"]: {
            **({"page": files[study][:-3]} if (study := f"experiments/{run['study']}_study.py") in files else {}),
            "title": run["title"],
            "study": run["study"],
            "date": run["started"][:10],
            "commit": (run["commit"] or "")[:10],
            "seeds": run["seeds"],
            "machine": run["machine"],
        }
        for run in data.get("runs", {}).values()
    }
    return {"facts": {key: _without_empty(fact) for key, fact in facts.items()}, "runs": runs}


def _without_empty(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value not in ("", False, None)}


def _downloads(docs: Path, post: Post, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The post's data file and the series of its figures, each with its size and hash."""
    named = [("Every value, claim and run of this post", f"{DATA}/{post.key}.json")] if data else []
    named += [(f"Series of figure {key}", entry["series"]) for key, entry in data.get("figures", {}).items()]
    out = []
    for what, file in named:
        if file and (docs / file).is_file():
            raw = (docs / file).read_bytes()
            kind = PurePosixPath(file).suffix[1:].upper()
            out.append({"what": what, "file": file, "kind": kind, "bytes": len(raw), "sha256": sha256(raw)})
    return out


def citation_key(author: str, post: Post) -> str:
    """A BibTeX key: the author's last name, the year, the first word of the title, the edition."""
    last = re.sub(r"[^a-z]", "", _ascii(author.split()[-1] if author.split() else "forge").lower()) or "forge"
    words = [word for word in re.findall(r"[a-z]+", _ascii(post.title).lower()) if word not in ("the", "a", "an", "on")]
    return f"{last}{post.date[:4]}{words[0] if words else ''}-{post.edition}"


def json_ld(imprint: Imprint, post: Post, data: Mapping[str, Any], card: str) -> dict[str, Any]:
    """The post for search engines, in the words of schema.org. Addresses only where the site has one."""
    audience = {"scientist": "Researchers and engineers", "manager": "Managers and decision makers"}
    blog = {"@type": "Blog", "name": f"{imprint.name}: {post.edition.capitalize()} edition"}
    out: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": post.title,
        "description": post.description,
        "datePublished": post.date,
        "dateModified": post.updated,
        "author": [{"@type": "Person", "name": imprint.author}] if imprint.author else [],
        "isPartOf": blog | ({"url": f"{imprint.address}{post.edition}/"} if imprint.address else {}),
        "audience": {"@type": "Audience", "audienceType": audience[post.edition]},
        "inLanguage": "en",
        "keywords": list(post.tags),
        "citation": [_work(source) for source in data.get("sources", {}).values()],
    }
    if post.minutes:
        out["timeRequired"] = f"PT{post.minutes}M"
    if imprint.address:
        out |= {"url": f"{imprint.address}{post.key}/", "mainEntityOfPage": f"{imprint.address}{post.key}/"}
        out |= {"image": f"{imprint.address}{card}"} if card else {}
    return out


def _work(source: Mapping[str, Any]) -> dict[str, Any]:
    paper = source["kind"] in ("article", "inproceedings", "incollection", "conference")
    work = {
        "@type": "ScholarlyArticle" if paper else "CreativeWork",
        "name": source["title"],
        "author": source["authors"],
        "datePublished": source["year"],
        "sameAs": f"https://doi.org/{source['doi']}" if source["doi"] else "",
        "url": source["url"],
    }
    return {key: value for key, value in work.items() if value}


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
