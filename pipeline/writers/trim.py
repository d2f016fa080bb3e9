"""Asking, and trimming: a prompt that does not fit the model's context is asked again with less evidence.

What goes first is stated in `pipeline.prompt.CUTS`, and what a section is about never goes. Nothing goes silently:
each cut is reported as it happens and kept in the draft's record.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from experiments.kit.errors import CannotRun
from pipeline.prompt import CUTS, EVERYTHING, Kept, Prompt
from pipeline.writers.conversation import Answer, Call, ContextOverflow

Asking = Generator[Call, Answer, Answer]


@dataclass
class Talk:
    """What one writing has sent so far: its prompts in order, what it tells about them, how much evidence they hold."""

    report: Callable[[str], None]
    prompts: list[Prompt] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kept: Kept = EVERYTHING

    def note(self, line: str) -> None:
        """Say something now, and keep it with the draft."""
        self.report(line)
        self.notes.append(line)

    def ask(self, what: str, make: Callable[[Kept], Prompt], max_tokens: int, *, may_be_cut: bool = False) -> Asking:
        """Ask, with less evidence for as long as it does not fit. Raises CannotRun where nothing is left to leave out.

        `make` builds the prompt; what had to go stays away from later prompts too, so that their common part stays one.
        """
        gone: list[str] = []
        self.report(what)
        while True:
            prompt = make(self.kept)
            try:
                answer = yield Call(what, prompt, max_tokens, may_be_cut)
            except ContextOverflow as overflow:
                gone.append(self._leave_out(what, make, prompt, overflow, gone))
                continue
            self.prompts.append(prompt)
            return answer

    def _leave_out(
        self,
        what: str,
        make: Callable[[Kept], Prompt],
        prompt: Prompt,
        overflow: ContextOverflow,
        gone: Sequence[str],
    ) -> str:
        """Make the next cut that makes this prompt shorter; what it leaves out, in words."""
        size = f" ({overflow.tokens:,} tokens, {overflow.limit:,} fit)" if overflow.tokens and overflow.limit else ""
        for cuts in range(self.kept.cuts + 1, len(CUTS) + 1):
            kept = Kept(cuts)
            if len(make(kept).text) < len(prompt.text):
                self.kept = kept
                self.note(f"{what} does not fit the model's context{size}; left out: {CUTS[cuts - 1][1]}")
                return CUTS[cuts - 1][1]
        without = f", even without {', '.join(gone)}" if gone else ", and nothing can be left out"
        raise CannotRun(
            f"{what} does not fit the model's context{size}{without}\n"
            "  fix: take a model or server with a longer context, or split the section's notes"
        ) from None

    @property
    def text(self) -> str:
        """Everything sent, as kept beside the draft: a stable part once, then the requests made under it."""
        pieces: list[str] = []
        stable = None
        for prompt in self.prompts:
            if prompt.stable != stable:
                stable = prompt.stable
                pieces.append(stable)
            pieces.append(prompt.turns[-1][1] if prompt.turns else prompt.request)
        return "\n\n".join(piece.strip() for piece in pieces) + "\n"
