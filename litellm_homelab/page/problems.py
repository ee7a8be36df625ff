"""What is wrong now, the worst first, each with what to do first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from litellm_homelab.decision import RefusalType
from litellm_homelab.page import states
from litellm_homelab.page.facts import Facts
from litellm_homelab.page.states import HandleState

RECENT: Final = 600
"""Seconds for which a refusal is a problem of now."""
LOW: Final = 0.1
"""The share of a window below which its quota is a problem."""
SHOWN: Final = 5
"""Names that a sentence lists."""
ORDER: Final = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    severity: str
    """`error`: requests fail; `warning`: they may soon, or are slower; `info`: good to know."""
    what: str
    first: str
    """What to do first."""


def found(facts: Facts) -> list[Problem]:
    """Every problem, the worst first."""
    every = [*_gateway(facts), *_backends(facts), *_quotas(facts), *_queues(facts), *_refusals(facts)]
    return sorted(every, key=lambda one: ORDER[one.severity])


def _gateway(facts: Facts) -> Iterator[Problem]:
    if not facts.store_answers:
        yield Problem(
            "error",
            "The store of counters (homelab.state) does not answer, so requests that need it are refused.",
            "Look for 'homelab state' in the gateway's log; check the disk, or that Redis runs.",
        )
    elif facts.seen < facts.workers:
        yield Problem(
            "info",
            f"{facts.seen} of {facts.workers} workers have reported, so some numbers are too low.",
            "Wait a few seconds. If it stays so, look for a worker that ended in the gateway's log.",
        )


def _backends(facts: Facts) -> Iterator[Problem]:
    for one in facts.backends:
        state = states.backend_state(facts, one.name)
        handles = _handles_on(facts, one.name)
        if state == "absent":
            yield _absent(facts, one.name, handles, can_wake=one.can_wake)
        elif state == "unauthorized":
            yield Problem(
                "error",
                f"{one.name} refuses the key of its deployments ({_listed(handles)}).",
                "Compare api_key of these deployments with the key that the server was started with.",
            )
        elif state == "waking":
            yield Problem(
                "info",
                f"{one.name} is waking; requests for {_listed(handles)} wait for it.",
                "Wait. If it does not come, check that the machine accepts wake-on-LAN.",
            )
        elif state == "limited":
            yield Problem(
                "warning",
                f"{one.name} answers that it gets too many requests.",
                "Wait, or lower the number of requests with homelab.backends.<name>.slots.",
            )


def _absent(facts: Facts, backend: str, handles: tuple[str, ...], *, can_wake: bool) -> Problem:
    if can_wake:
        return Problem(
            "info", f"{backend} is asleep.", f"Nothing: the next request for {_listed(handles)} wakes it."
        )
    dead = [one for one in handles if states.handle_state(facts, one) not in states.GOOD]
    if dead:
        return Problem(
            "error",
            f"{backend} is not reachable, and nothing answers for {_listed(dead)}.",
            "Start the server, or check that the gateway reaches its address and port.",
        )
    return Problem(
        "warning",
        f"{backend} is not reachable; fallbacks answer for {_listed(handles)}.",
        "Start the server, or check that the gateway reaches its address and port.",
    )


def _handles_on(facts: Facts, backend: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.group for one in facts.deployed if one.backend == backend))


def _quotas(facts: Facts) -> Iterator[Problem]:
    for name, groups in facts.shown.quota_groups.items():
        windows = [one for one in facts.quotas if one.quota == name and one.limit]
        if any(states.spent(facts, one) for one in groups):
            dead = [one for one in groups if states.handle_state(facts, one) is HandleState.EXHAUSTED]
            yield Problem(
                "error" if dead else "warning",
                f"The quota {name} is used up: "
                + (f"{_listed(dead)} cannot answer." if dead else "fallbacks answer."),
                "Wait for its reset (see Quotas), or add a fallback for its handles.",
            )
            continue
        low = [one.window for one in windows if one.limit and (one.limit - one.used) / one.limit < LOW]
        early = [one.window for one in windows if one.used_up_at is not None]
        if low or early:
            yield Problem(
                "warning",
                f"The quota {name} runs out before its reset ({_listed(low or early)}).",
                "Use another handle for long jobs, or add a fallback for its handles.",
            )


def _queues(facts: Facts) -> Iterator[Problem]:
    for one in facts.backends:
        if one.waiting and one.waiting >= one.queue:
            yield Problem(
                "warning",
                f"The queue of {one.name} is full ({one.waiting} wait); more requests fall back or fail.",
                "Wait, give the backend more slots if it can serve more at a time, or send less.",
            )


def _refusals(facts: Facts) -> Iterator[Problem]:
    recent = [one for one in facts.worker.refusals if facts.at - one.at < RECENT]
    loops = [one for one in recent if one.type == RefusalType.LOOP_DETECTED]
    if loops:
        yield Problem(
            "error",
            f"A loop was blocked: {_first_sentence(loops[-1].message)}",
            "Let OptiLLM call back a name that does not lead to OptiLLM (OPTILLM_MODEL), or check api_base.",
        )
    if any(one.type == RefusalType.POLICY_ERROR for one in recent):
        yield Problem(
            "error",
            "A rule of the gateway failed, and requests were refused for it.",
            "Look for 'homelab' in the gateway's log: it has the rule and the place.",
        )
    unknown = Counter(one.caller for one in recent if one.type == RefusalType.AUTHENTICATION_ERROR)
    if unknown:
        number = sum(unknown.values())
        yield Problem(
            "warning",
            f"{number} of the last requests had no key, or an unknown one.",
            "If a client of yours fails, compare its key with homelab.callers.",
        )


def _first_sentence(message: str) -> str:
    return message.removeprefix("Loop detected: ").partition(". ")[0].rstrip(".") + "."


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return (", ".join(every[:SHOWN]) or "no handle") + more
