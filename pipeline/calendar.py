"""The plan as an iCalendar file: sessions, reviews, and posts on the day they are due, overdue ones on today.

All events last whole days, for the plan gives no hours. Their ids are stable, so that importing the file again moves
events and doubles none.
"""

from __future__ import annotations

import datetime

from icalendar import Calendar, Event

from experiments.kit.files import sha256
from pipeline.progress import Due, Progress

DAY = datetime.timedelta(days=1)


def calendar(progress: Progress) -> bytes:
    """The file's bytes, as RFC 5545 has it."""
    made = Calendar()
    made.add("prodid", "-//Knowledge Forge//plan//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", progress.plan.schedule.title or "The plan")
    overdue = {(due.kind, due.key) for due in progress.overdue()}
    for due in progress.due():
        late = (due.kind, due.key) in overdue
        made.add_component(_event(due, progress.on, late))
    return bytes(made.to_ical())


def _event(due: Due, on: datetime.date, late: bool) -> Event:
    event = Event()
    event.add("uid", f"{sha256(f'{due.kind} {due.key}')[:20]}@knowledge-forge")
    event.add("dtstamp", datetime.datetime(on.year, on.month, on.day, tzinfo=datetime.UTC))
    day = on if late and due.kind == "post" else due.date
    event.add("dtstart", day)
    event.add("dtend", day + DAY)
    what = due.what[0].upper() + due.what[1:]
    event.add("summary", f"Overdue since {due.date.isoformat()}: {what}" if late and due.kind == "post" else what)
    if due.command:
        event.add("description", due.command)
    event.add("categories", [due.kind])
    event.add("transp", "TRANSPARENT")
    return event
