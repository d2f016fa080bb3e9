"""A small plan with every kind of note, as `docs/plan-format.md` describes them."""

from __future__ import annotations

from pathlib import Path

NOTES: dict[str, str] = {
    "plan/index.md": """---
type: plan
title: "Two weeks"
start: 2025-08-05
weeks: 2
posts_per_week: 2
hours_per_week: 5-6
phases:
  - {phase: 1, title: "Core", weeks: 1-2}
rhythm:
  - {days: Mon-Wed, do: "Study and code", time: 4-5 hours}
  - {days: Thu, do: "Review the drafts", time: 30-45 min}
  - {days: Fri, do: "Deeper experiments", optional: true}
  - {days: Sat-Sun, do: "Next week", optional: true}
editions:
  - {edition: scientist, title: "Scientist"}
  - {edition: manager, title: "Manager"}
courses: [feller1968]
backlog:
  - "Attention": ["Flash Attention", "Sparse attention"]
---
""",
    "plan/week-02.md": """---
type: week
week: 2
title: "Attention"
phase: "Phase 1: Core"
topics:
  - "Self-attention": [queries, keys]
core_papers: [vaswani2017]
experiments: ["Heads, drawn", {text: "More coins", study: "toy/coin"}]
wandb: [memory, speed]
tags: [week, genai/attention]
posts:
  - slug: heads
    title: "What a head sees"
    brief: "Begin with a bet."
    earlier: [1]
---
""",
    "roadmap/index.md": """---
type: roadmap
title: "The roadmap"
phases:
  - {phase: 1, title: "Decisions"}
  - {phase: 2, title: "Text"}
tracks:
  - {track: A, title: "Decisions", clusters: "1.1-1.2"}
session_format:
  - 90 min: "The first track"
integration:
  - session: 1
    title: "Choosing and looking"
    primary: "[[roadmap/1.1-coins]]"
    secondary: "[[roadmap/2.1-attention]]"
    idea: "Both choose"
  - {session: 2, title: "All of it", primary: "[[roadmap/2.1-attention]]", secondary: "Review of everything"}
concept_map:
  - {rl: "State", genai: "Context", insight: "Both are where one is"}
post_within_days: 7
review: monthly
---
Some prose.

## Knowledge gaps

- [x] 2025-08-01: why coins forget

## After that

The end.
""",
    "roadmap/1.1-coins.md": """---
type: cluster
cluster: "1.1"
title: "Coins"
phase: 1
track: A
blog: "What a coin knows"
reading_time: 12-15 min
learning_time: 2-3 hours
status: in-progress   # since July
pair: "[[roadmap/2.1-attention|attention]]"
role: primary
topics: [coins, "fair bets"]
resources:
  primary:
    - feller1968, ch. 3
    - {source: feller1968, where: "ch. 4", link: "https://example.org/feller#page=4", note: "the hard part"}
  video: [vaswani2017]
tags: [cluster]
---
## Completion criteria

- [x] I can explain coins
- [ ] I have thrown some
""",
    "roadmap/2.1-attention.md": """---
type: cluster
cluster: "2.1"
title: "Attention Mechanisms"
phase: 2
blog: "Where to look"
pair: "[[1.1-coins]]"
topics: ["scaled dot-product attention"]
resources: {}
---
""",
    "sprint/index.md": """---
type: sprint
title: "Sprint 1"
sprint: 1
start: 2025-08-05
end: 2025-08-12
tracks:
  - {track: A, title: "Decisions", sessions: 1-2}
weekly:
  - {week: 1, from: 2025-08-05, to: 2025-08-11, focus: "Coins"}
metrics:
  - Technical: "It runs"
---
""",
    "sprint/session-01.md": """---
type: session
session: 1
title: "Coins, thrown"
track: A
date: 2025-08-05
day: Tuesday
hours: 2.5
clusters: ["[[roadmap/1.1-coins]]"]
materials:
  First things:
    - feller1968, ch. 3
    - {text: "Everything from before"}
time:
  - 30 min: "Throw"
  - 2 h: "Think"
focus: ["What is fair?"]
post: "What a coin knows"
---

## Success criteria

- [ ] A coin was thrown
""",
    "sprint/session-02.md": """---
type: session
session: 2
title: "Heads"
track: A
date: 2025-08-08
hours: 2.5
clusters: ["[[2.1-attention]]"]
status: done
---
""",
    "lectures/index.md": """---
type: lectures
title: "The series"
hours: 4-6
form: ["Set-up", "Exercises"]
blocks:
  - {block: foundation, title: "Foundation", lectures: 1-2, after: ["Throw coins"]}
paths:
  - {path: "From nothing", steps: [{lectures: 1-2, how: "in order"}]}
---
""",
    "lectures/01-coins.md": """---
type: lecture
lecture: 1
title: "Coins"
promise: "Where it begins"
block: foundation
time: 2-4 hours
studies: [toy/coin]
posts: [coin-post]
---
## The set-up

A bet.

## Exercises

%% none yet %%
""",
    "lectures/02-attention.md": """---
type: lecture
lecture: 2
title: "Attention"
block: foundation
prerequisites: ["[[lectures/01-coins]]"]
---
""",
    "course/index.md": """---
type: course
title: "The course"
weeks: 1
months:
  - {month: 1, title: "Foundations", weeks: 1-1}
---
""",
    "course/week-01.md": """---
type: course-week
week: 1
title: "Primitives"
month: 1
concept: ["Attention as policy"]
reading: [vaswani2017]
assignment: "Throw a coin"
study: toy/coin
---
""",
    "topics.md": """---
type: topics
topics:
  attention: ["self-attention", genai/attention]
  coins: ["fair bet"]
---
""",
}
BIB = """
@misc{vaswani2017,
  author = {Vaswani, Ashish and Shazeer, Noam},
  title = {Attention Is All You Need},
  year = {2017},
  eprint = {1706.03762},
  archiveprefix = {arXiv}
}
"""


def write_plan(notes: Path, changes: dict[str, tuple[str, str]] | None = None) -> None:
    """Write the notes; `changes` replace one text by another in a note (each must stand in it once)."""
    for path, text in NOTES.items():
        old, new = (changes or {}).get(path, ("", ""))
        assert not old or text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        (notes / path).parent.mkdir(parents=True, exist_ok=True)
        (notes / path).write_text(text.replace(old, new) if old else text, encoding="utf-8")
