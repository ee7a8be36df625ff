"""Asks the questions of every check, one after the other, and judges the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from litellm_homelab.verify import (
    access,
    gateway,
    names,
    optillm_handles,
    optillm_server,
    plain_handles,
    reading,
    search,
)
from litellm_homelab.verify.asking import VerifyAsker
from litellm_homelab.verify.check import CheckedItem, VerifyCheck
from litellm_homelab.verify.exchange import (
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    VerifyVerdict,
    not_checked,
)
from litellm_homelab.verify.lab import VerifyLab, learned

LOOKS: Final = 4
"""How often a counter is looked at before it counts as not moved."""
PAUSE: Final = 0.25


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Every check but the first, in the order in which they are made."""
    yield from gateway.checks(lab)
    yield from access.checks(lab)
    yield from names.checks(lab)
    yield from plain_handles.checks(lab)
    yield from optillm_handles.checks(lab)
    yield from optillm_server.checks(lab)
    yield from reading.checks(lab)
    yield from search.checks(lab)


async def verify(
    lab: VerifyLab, asker: VerifyAsker, begins: Callable[[VerifyCheck], None] = lambda _: None
) -> AsyncIterator[CheckedItem]:
    """
    Make every check; `begins` is called with each before its first question.

    Where no gateway answers, nothing else is asked.
    """
    first = gateway.answers(lab)
    begins(first)
    judgement = await _checked(first, asker)
    yield CheckedItem(first, judgement)
    if judgement.verdict is not VerifyVerdict.PASSED:
        for check in checks(lab):
            yield CheckedItem(check, not_checked(f"see {first.id}"))
        return
    listing = await asker.ask(VerifyQuestion(names.MODELS, lab.client))
    for check in checks(learned(lab, listing)):
        begins(check)
        yield CheckedItem(check, await _checked(check, asker))


async def _checked(check: VerifyCheck, asker: VerifyAsker) -> VerifyJudgement:
    if check.settled is not None:
        return check.settled
    replies: list[VerifyReply] = [await asker.ask(one) for one in check.questions]
    judgement = check.judged(replies)
    looks = 1
    while check.settles and judgement.verdict is VerifyVerdict.FAILED and looks < LOOKS:
        await asyncio.sleep(PAUSE)
        replies[-1] = await asker.ask(check.questions[-1])
        judgement = check.judged(replies)
        looks += 1
    return judgement
