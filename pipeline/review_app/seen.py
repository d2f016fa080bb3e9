"""What a person saw of an edition, as a token the page carries and a decision gives back.

The token names the source, everything the page printed from it (values, claims, figures, listings), and the decision
that counted. A decision on anything else is refused, and says what moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.kit.files import hash_value, sha256
from pipeline.drafts import Draft
from pipeline.page import Page
from pipeline.review import Review


@dataclass(frozen=True)
class Seen:
    """One edition as shown. `printed` maps what a role names to what stood in its place."""

    text: str
    printed: Mapping[str, str]
    decision: str

    @property
    def token(self) -> str:
        """Three short hashes: source, printed values, decision."""
        return ".".join(
            part[:20] for part in (sha256(self.text), hash_value(dict(self.printed)), sha256(self.decision))
        )


def seen(draft: Draft, page: Page, review: Review | None) -> Seen:
    """The edition as it stands now."""
    printed = {f"{use.role} {use.key}": use.text for use in page.rendered.uses if use.role == "val"}
    printed |= {f"claim {key}": claim.detail for key, claim in page.snapshot.claims.items()}
    for key, figure in page.snapshot.figures.items():
        printed[f"figure {key}"] = f"{figure.caption} ({figure.data[:8]}, {hash_value(dict(figure.files))[:8]})"
    printed |= {f"listing {key}": listing.hash[:12] for key, listing in page.snapshot.listings.items()}
    return Seen(draft.text, printed, f"{review.decision} by {review.who} at {review.when}" if review else "")


def moved(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(what, then, now) for everything that was printed differently; an empty text where it was not there."""
    keys = sorted({*then, *now})
    return [(key, then.get(key, ""), now.get(key, "")) for key in keys if then.get(key) != now.get(key)]
