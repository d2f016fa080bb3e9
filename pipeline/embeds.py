"""How embeds hang together: which lead back to themselves, and which would multiply beyond measure.

An embed is a node; it leads to the embeds inside what it shows. Both answers take time linear in their number, where
writing the embeds out could take for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Leads = Mapping[T, Sequence[T]]


def circles(leads: Leads[T]) -> list[list[T]]:
    """For each embed that leads back to itself a shortest way round, beginning and ending with it."""
    found = []
    for group in _strong(leads):
        inside = set(group)
        if len(group) == 1 and group[0] not in leads.get(group[0], ()):
            continue
        found += [_way_round(node, leads, inside) for node in group]
    return found


def sizes(leads: Leads[T], most: int) -> dict[T, int]:
    """How many embeds are written out for each one, itself included, as far as `most`; circles count once round."""
    made: dict[T, int] = {}
    for group in _strong(leads):  # what a group leads to comes before it
        inside = set(group)
        for node in group:
            made[node] = min(most, 1 + sum(made.get(other, 0) for other in leads.get(node, ()) if other not in inside))
    return made


def _way_round(start: T, leads: Leads[T], inside: set[T]) -> list[T]:
    before: dict[T, T] = {}
    front = [start]
    while front:
        ahead: list[T] = []
        for node in front:
            for other in leads.get(node, ()):
                if other == start:
                    way = [node]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    return [*reversed(way), start]
                if other in inside and other not in before:
                    before[other] = node
                    ahead.append(other)
        front = ahead
    return [start, start]


def _strong(leads: Leads[T]) -> list[list[T]]:
    """Groups of embeds that lead to one another, each after the groups it leads to (Tarjan's algorithm, unrolled)."""
    number: dict[T, int] = {}
    low: dict[T, int] = {}
    stack: list[T] = []
    on_stack: set[T] = set()
    groups: list[list[T]] = []
    for root in leads:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(leads.get(root, ())))]
        while work:
            node, others = work[-1]
            for other in others:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(leads.get(other, ()))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    group: list[T] = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                    groups.append(group)
    return groups
