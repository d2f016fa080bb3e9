"""The plan: five documents of the vault (weeks and posts, roadmap, sprint, lectures, course) as plain values.

One module a document; `whole` reads them all and checks what must fit between them. `docs/plan-format.md` is the schema
as a person writes it.
"""

from pipeline.plan.clusters import Cluster, Integration, Parallel, Phase, Roadmap, Track
from pipeline.plan.course import Course, CourseWeek, Month
from pipeline.plan.lectures import Block, Lecture, ReadingPath, Series
from pipeline.plan.parts import PARTS, StudyPart, study_parts, written_parts
from pipeline.plan.schedule import Habit, Schedule
from pipeline.plan.sessions import Session, Sprint, SprintWeek
from pipeline.plan.shared import STATUSES, Box, Resource, Topic
from pipeline.plan.topics import TopicTable
from pipeline.plan.weeks import Experiment, OutlineSection, Post, Week, load_week, week_numbers
from pipeline.plan.whole import KINDS, Entry, Plan, is_plan, load_plan

__all__ = [
    "KINDS", "PARTS", "STATUSES", "Block", "Box", "Cluster", "Course", "CourseWeek", "Entry", "Experiment", "Habit",
    "Integration", "Lecture", "Month", "OutlineSection", "Parallel", "Phase", "Plan", "Post", "ReadingPath", "Resource",
    "Roadmap", "Schedule", "Series", "Session", "Sprint", "SprintWeek", "StudyPart", "Topic", "TopicTable", "Track",
    "Week", "is_plan", "load_plan", "load_week", "study_parts", "week_numbers", "written_parts",
]  # fmt: skip
