"""What was found, as lines for a person and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from litellm_homelab.config.wording import one_line
from litellm_homelab.verify.check import CheckedItem
from litellm_homelab.verify.exchange import VerifyVerdict

WORDS: Final = {
    VerifyVerdict.PASSED: "ok",
    VerifyVerdict.FAILED: "FAILED",
    VerifyVerdict.NOT_APPLICABLE: "-",
    VerifyVerdict.NOT_CHECKED: "?",
}
COLOURS: Final = {
    VerifyVerdict.PASSED: "\x1b[32m",
    VerifyVerdict.FAILED: "\x1b[31m",
    VerifyVerdict.NOT_CHECKED: "\x1b[33m",
}
RESET: Final = "\x1b[0m"
WIDTH: Final = 6
INDENT: Final = " " * (WIDTH + 2)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All of it, with what it took."""

    url: str
    items: Sequence[CheckedItem]
    requests: int
    calls: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return all(one.judgement.verdict is not VerifyVerdict.FAILED for one in self.items)

    def counts(self) -> Counter[VerifyVerdict]:
        """How many checks ended in which way."""
        return Counter(one.judgement.verdict for one in self.items)

    def as_json(self) -> str:
        """One document for programs, in ASCII."""
        counts = self.counts()
        return json.dumps(
            {
                "gateway": self.url,
                "ok": self.is_good,
                **{verdict.replace(" ", "_"): counts[verdict] for verdict in VerifyVerdict},
                "requests": self.requests,
                "model_calls": self.calls,
                "seconds": round(self.seconds, 1),
                "checks": [
                    {
                        "id": one.check.id,
                        "subject": one.check.subject,
                        "what": one.check.what,
                        "verdict": str(one.judgement.verdict),
                        "seen": one.judgement.seen,
                        "do": one.judgement.do,
                    }
                    for one in self.items
                ],
            },
            indent=2,
        )

    def summary(self) -> str:
        """The last line."""
        counts = self.counts()
        said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VerifyVerdict if counts[verdict])
        took = (
            f"{self.requests} requests, {self.calls} of them for a model to answer, in {self.seconds:.0f} s"
        )
        return f"{len(self.items)} checks: {said}; {took}"


def written(item: CheckedItem, *, colour: bool) -> str:
    """One check: its verdict, what must hold, what was seen, and what to do."""
    return "\n".join(_lines(item, colour=colour))


def _lines(item: CheckedItem, *, colour: bool) -> Iterator[str]:
    check, judgement = item.check, item.judgement
    code = COLOURS.get(judgement.verdict, "") if colour else ""
    word = f"{code}{WORDS[judgement.verdict]}{RESET if code else ''}"
    blanks = " " * (WIDTH - len(WORDS[judgement.verdict]))
    subject = f" [{check.subject}]" if check.subject else ""
    yield f"{word}{blanks}  {one_line(f'{check.id}{subject}: {check.what}')}"
    if judgement.verdict is VerifyVerdict.PASSED:
        yield f"{INDENT}{one_line(judgement.seen)}"
        return
    how = "" if judgement.verdict is VerifyVerdict.FAILED else f"{judgement.verdict}: "
    yield f"{INDENT}{one_line(how + judgement.seen)}"
    if judgement.do:
        yield f"{INDENT}-> {one_line(judgement.do)}"
