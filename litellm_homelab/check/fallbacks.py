"""Traps in fallbacks: lists that LiteLLM reads otherwise, and how long a chain may take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.retries import CHAIN_SECONDS, after_a_timeout
from litellm_homelab.config.router_file import FALLBACK_SETTINGS
from litellm_homelab.config.wording import plain, quoted, shown

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

SECTIONS: Final = ("router_settings", "litellm_settings")
CHECKED: Final = ("fallbacks", "content_policy_fallbacks")
"""Lists of which the router checks the shape; of `context_window_fallbacks` it does not (1.108.7)."""
MOST: Final = 5
"""Steps of a chain, unless `max_fallbacks` or ROUTER_MAX_FALLBACKS says otherwise (1.108.7)."""
DEFAULT_TIMEOUT: Final = 6000.0
"""Seconds, where nothing is set (`DEFAULT_REQUEST_TIMEOUT_SECONDS`, 1.108.7)."""


def _lists(doc: Document) -> Iterator[tuple[str, str, object]]:
    """(section, setting, value) of each list of fallbacks that is set."""
    for section in SECTIONS:
        for setting in FALLBACK_SETTINGS:
            value = doc.section(section).get(setting)
            if value is not None:
                yield section, setting, value


def _entries(value: object) -> Iterator[tuple[int, Any, Any]]:
    for number, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            for source, targets in one.items():
                yield number, source, targets


@check("litellm-fallbacks-shape", "error", "A list of fallbacks with which LiteLLM does not start.")
def shape(doc: Document) -> Iterator[Found]:
    """`[{group: [group]}]`, one key an entry (`validate_fallbacks`, 1.108.7)."""
    example = "`- main: [spare]`"
    for section, setting, value in _lists(doc):
        where = f"{section}.{setting}"
        if not isinstance(value, list):
            yield where, f"expected a list of entries such as {example}, got {shown(value)}"
            continue
        for number, one in enumerate(value):
            if not isinstance(one, dict):
                yield f"{where}[{number}]", f"expected an entry such as {example}, got {shown(one)}"
            elif len(one) != 1 and setting in CHECKED:
                yield (
                    f"{where}[{number}]",
                    f"expected one group an entry, got {len(one)}; write one entry for each",
                )
        for number, source, targets in _entries(value):
            if isinstance(targets, str) and setting in CHECKED:
                yield (
                    f"{where}[{number}].{source}",
                    f"expected a list, got {shown(targets)}; write [{targets}]",
                )
    for section in SECTIONS:
        default = doc.section(section).get("default_fallbacks")
        if isinstance(default, str):
            yield f"{section}.default_fallbacks", f"expected a list, got {shown(default)}; write [{default}]"


@check(
    "litellm-fallback-letters",
    "error",
    "A text in the place of a list of fallbacks is read letter by letter.",
)
def letters(doc: Document) -> Iterator[Found]:
    """The router checks nothing of `context_window_fallbacks`, and walks what it finds (1.108.7)."""
    for section, setting, value in _lists(doc):
        if setting in CHECKED:
            continue
        for number, source, targets in _entries(value):
            if isinstance(targets, str):
                yield (
                    f"{section}.{setting}[{number}].{source}",
                    f"LiteLLM would ask for a model of each letter of {quoted(targets)}; write [{targets}]",
                )


@check("litellm-fallbacks-twice", "warning", "A second list of fallbacks for one group is ignored.")
def group_twice(doc: Document) -> Iterator[Found]:
    """The first entry counts (`get_fallback_model_group`, 1.108.7)."""
    for section, setting, value in _lists(doc):
        first: dict[str, int] = {}
        for number, source, _ in _entries(value):
            before = first.setdefault(plain(source), number)
            if before != number:
                yield (
                    f"{section}.{setting}[{number}]",
                    (
                        f"LiteLLM takes entry [{before}] for {quoted(plain(source))} and ignores this one; "
                        "make it one list"
                    ),
                )


@check("litellm-fallbacks-in-two-sections", "warning", "Fallbacks in both sections: one of them is ignored.")
def two_sections(doc: Document) -> Iterator[Found]:
    """`fallbacks or litellm.fallbacks` (`Router.__init__`, 1.108.7)."""
    for setting in (*FALLBACK_SETTINGS, "default_fallbacks"):
        if doc.section("router_settings").get(setting) and doc.section("litellm_settings").get(setting):
            yield (
                f"litellm_settings.{setting}",
                f"LiteLLM takes router_settings.{setting} and ignores this one; move its entries there",
            )


@check("litellm-fallback-to-itself", "warning", "A group falls back to itself, or has one fallback twice.")
def to_itself(doc: Document) -> Iterator[Found]:
    """LiteLLM skips the group itself; a fallback that is there twice is called twice (1.108.7)."""
    for where, source, targets in doc.router.fallbacks:
        if source in targets:
            yield where, f"{quoted(source)} falls back to itself, which LiteLLM skips; remove it"
        twice = sorted({one for one in targets if targets.count(one) > 1} - {source})
        if twice:
            yield where, f"{quoted(twice[0])} is in this list twice and would be called twice; remove one"


@check("litellm-chain-too-long", "warning", "LiteLLM stops after `max_fallbacks` steps of a chain.")
def too_long(doc: Document) -> Iterator[Found]:
    """Five by default (`ROUTER_MAX_FALLBACKS`, 1.108.7)."""
    most = (
        doc.section("router_settings").get("max_fallbacks") or doc.environ.get("ROUTER_MAX_FALLBACKS") or MOST
    )
    if not str(most).isdecimal():
        return
    for where, source, targets in doc.router.fallbacks:
        if len(targets) > int(most):
            yield (
                where,
                (
                    f"LiteLLM tries {most} of the {len(targets)} fallbacks of {quoted(source)}; set "
                    f"`max_fallbacks: {len(targets)}` in router_settings, or shorten the list"
                ),
            )


@check("litellm-fallback-nested", "hint", "A fallback has fallbacks of its own that are in the list already.")
def nested(doc: Document) -> Iterator[Found]:
    """LiteLLM walks the list of each group that it comes to, so that a group is called twice (1.106.2)."""
    lists = {source: targets for _, source, targets in doc.router.fallbacks if source != "*"}
    for where, source, targets in doc.router.fallbacks:
        for target in targets:
            both = [one for one in lists.get(target, ()) if one in targets]
            if both and target != source:
                yield (
                    where,
                    (
                        f"{quoted(both[0])} is a fallback of {quoted(source)} and of its fallback "
                        f"{quoted(target)}, "
                        f"and may be called twice; keep it in the list of {quoted(source)} only"
                    ),
                )


# --- time ------------------------------------------------------------------------------------------


@check("litellm-no-timeout", "hint", "No timeout is set: an attempt may take 6000 seconds.")
def no_timeout(doc: Document) -> Iterator[Found]:
    """`router_settings.timeout`, else `litellm_settings.request_timeout`, else 6000 s (1.108.7)."""
    general = doc.section("router_settings").get("timeout") or doc.section("litellm_settings").get(
        "request_timeout"
    )
    if general or doc.environ.get("REQUEST_TIMEOUT") or not doc.entries:
        return
    entries = [one for one in doc.entries if _own_total(doc, one.name) is None]
    without = [one for one in entries if one.params.get("timeout") is None]
    if without:
        yield (
            without[0].where,
            (
                f"nothing bounds an attempt here: LiteLLM waits {DEFAULT_TIMEOUT:.0f} seconds; set "
                "timeout in router_settings, or total in homelab.timeouts"
            ),
        )


@check("litellm-chain-time", "hint", "A chain of fallbacks may take more than half an hour.")
def chain_time(doc: Document) -> Iterator[Found]:
    """The sum of each step's timeout and retries, where every step is silent until its timeout."""
    for where, source, targets in doc.router.fallbacks:
        if source == "*" or ".fallbacks[" not in where:
            continue  # the other lists are for errors that come at once
        steps = [_seconds(doc, group) for group in (source, *targets)]
        total = sum(steps)
        if total > CHAIN_SECONDS and max(steps) < DEFAULT_TIMEOUT:
            yield (
                where,
                (
                    f"a request for {quoted(source)} may take {total:.0f} seconds before it fails "
                    f"({' + '.join(f'{one:.0f}' for one in steps)}, retries included); lower timeout, or set "
                    "`TimeoutErrorRetries: 0` in retry_policy"
                ),
            )


def _seconds(doc: Document, group: str) -> float:
    """The longest that a group may take: its slowest deployment, once for each attempt."""
    own = [_timeout(doc, one.params) for one in doc.deployments if one.group == group]
    total = _own_total(doc, group)
    slowest = max(own, default=0.0)
    return (slowest if total is None else min(slowest, total)) * (1 + after_a_timeout(doc.content, group))


def _own_total(doc: Document, group: str) -> float | None:
    """What `homelab.timeouts` says for a group; None where it says nothing."""
    section = doc.section("homelab").get("timeouts")
    for name in (group, "default"):
        one = section.get(name) if isinstance(section, dict) else None
        found = doc.resolved(one.get("total")) if isinstance(one, dict) else None
        if isinstance(found, int | float):
            return float(found)
    return None


def _timeout(doc: Document, params: Mapping[str, Any]) -> float:
    router, litellm = doc.section("router_settings"), doc.section("litellm_settings")
    for value in (params.get("timeout"), router.get("timeout"), litellm.get("request_timeout")):
        seconds = doc.resolved(value)
        if value is not None and not is_unset(seconds):
            try:
                return float(seconds)  # type: ignore[arg-type]
            except (TypeError, ValueError):
                return 0.0  # reported already
    return DEFAULT_TIMEOUT
