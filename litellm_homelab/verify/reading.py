"""What is for the owner to read: `/metrics/` and the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from litellm_homelab.verify import counters
from litellm_homelab.verify.access import SET_GATE
from litellm_homelab.verify.check import VerifyCheck, unexpected
from litellm_homelab.verify.exchange import (
    KeyRole,
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    failed,
    not_applicable,
    not_checked,
    passed,
)
from litellm_homelab.verify.lab import VerifyLab
from litellm_homelab.verify.names import SET_PLUGIN

METRICS: Final = ("/metrics", "/metrics/")
PAGE: Final = ("/homelab", "/homelab.json", "/homelab/widget.json")
GUARD_METRICS: Final = (
    "Set `litellm_settings.require_auth_for_metrics_endpoint: true`, take /metrics out of "
    "`homelab.gate.open`, and restart the gateway: metrics name handles, models and callers."
)


def checks(lab: VerifyLab) -> Iterator[VerifyCheck]:
    """Each with no key, with a client's key and with the right one."""
    for paths, name, guard in ((METRICS, "metrics", GUARD_METRICS), (PAGE, "page", SET_GATE)):
        if lab.opens(paths[0]):
            why = not_applicable(f"`homelab.gate.open` opens {paths[0]}")
            yield VerifyCheck(f"{name}.key", f"{paths[0]} needs a key", settled=why)
            continue
        yield VerifyCheck(
            f"{name}.key",
            f"{' and '.join(paths)} need a key" if name == "metrics" else "the page needs a key",
            tuple(map(VerifyQuestion, paths)),
            partial(guarded, paths, guard),
        )
        what = f"a client's key does not read {'metrics' if name == 'metrics' else 'the page'}"
        if lab.knows(KeyRole.CLIENT):
            asked = tuple(VerifyQuestion(path, KeyRole.CLIENT) for path in paths)
            yield VerifyCheck(f"{name}.client", what, asked, partial(guarded, paths, guard))
        else:
            why = not_applicable("no client's key is known here")
            yield VerifyCheck(f"{name}.client", what, settled=why)
    yield _read(lab)


def guarded(paths: Sequence[str], guard: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether none of the paths shows anything."""
    for path, reply in zip(paths, replies, strict=True):
        if reply.failure is not None:
            return not_checked(f"{reply.said} from {path}", "Run it again.")
        if reply.status not in (401, 403, 404) and not _is_slash(path, reply):
            return unexpected(reply, f"401 or 403 from {path}", guard)
    if all(reply.status == 404 for reply in replies):
        return not_applicable(f"there is no {paths[0]}")
    return passed(", ".join(f"{path} {reply.status}" for path, reply in zip(paths, replies, strict=True)))


def _is_slash(path: str, reply: VerifyReply) -> bool:
    """Whether it only leads to the same path with a slash: LiteLLM answers so on /metrics (307)."""
    return 300 <= reply.status < 400 and urlsplit(reply.headers.get("location", "")).path.endswith(f"{path}/")


def _read(lab: VerifyLab) -> VerifyCheck:
    check, what = "metrics.read", "the metrics are there for the key that reads them"
    if not lab.has_prometheus:
        why = not_applicable("`prometheus` is not in `litellm_settings.callbacks`")
        return VerifyCheck(check, what, settled=why)
    if lab.reader is None:
        variable = lab.keys.variable(KeyRole.METRICS)
        return VerifyCheck(
            check, what, settled=not_checked(f"{variable} is not set", f"Set {variable}, or give --env.")
        )
    variable = lab.keys.variable(lab.reader)
    return VerifyCheck(
        check, what, (VerifyQuestion(METRICS[1], lab.reader),), partial(readable, lab.is_configured, variable)
    )


def readable(is_configured: bool, variable: str, replies: Sequence[VerifyReply]) -> VerifyJudgement:
    """Whether our series are among LiteLLM's."""
    reply = replies[0]
    if reply.status == 404 and not is_configured:
        return not_applicable("there is no /metrics/")
    if reply.status in (401, 403):
        return failed(
            reply.said, f"{variable} must be the key of a caller with `role: metrics`, or the master key."
        )
    if not reply.is_ok:
        return unexpected(
            reply, "200", "Put `prometheus` into `litellm_settings.callbacks`, and restart the gateway."
        )
    if not counters.has(reply.body, counters.OURS):
        return failed(f"no {counters.OURS}: our rules count nothing", SET_PLUGIN)
    return passed(f"{counters.OURS} is among them")
