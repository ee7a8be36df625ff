"""Which requests load what a router.yaml names: local models, one for each server, and OptiLLM's handles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from litellm_homelab.config.deployments import Deployment
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.settings import Settings
from litellm_homelab.probe.target import ProbeTarget, target
from litellm_homelab.sync.servers import server

MESSAGES: Final = [{"role": "user", "content": "Say OK."}]
TOKENS: Final = 8
APPROACH: Final = "optillm_approach"
ROUTER: Final = "router"
"""The approach of OptiLLM that loads a classifier."""
ROUTES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "chat": ("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": TOKENS}),
    "completion": ("/v1/completions", {"prompt": "Say OK.", "max_tokens": TOKENS}),
    "embedding": ("/v1/embeddings", {"input": "OK"}),
}
"""Path and body of a tiny request, by mode; for other modes there is none."""


@dataclass(frozen=True, slots=True)
class WarmupStep:
    """One request: its name for people, whom it goes to, and what it contains."""

    name: str
    where: ProbeTarget
    path: str
    body: Mapping[str, Any] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class WarmupPlan:
    """Requests in order, and what is left out, with the reason."""

    steps: tuple[WarmupStep, ...]
    left_out: tuple[str, ...] = ()


def step(model: str, where: ProbeTarget, mode: str = "chat", **fields: str) -> WarmupStep | None:
    """The request that loads a model; None where its mode has none."""
    if mode not in ROUTES:
        return None
    path, body = ROUTES[mode]
    return WarmupStep(model, where, path, {"model": model, **body, **fields})


def classifier(model: str, where: ProbeTarget) -> WarmupStep:
    """The request that makes OptiLLM load the classifier of its router approach."""
    path, body = ROUTES["chat"]
    fields = {"model": model, **body, APPROACH: ROUTER}
    return WarmupStep(f"{model} ({ROUTER})", where, path, fields)


def planned(
    settings: Settings, gateway: ProbeTarget, named: Collection[str], *, with_all: bool, with_router: bool
) -> WarmupPlan:
    """
    The requests for a router.yaml: through the gateway, and to OptiLLM itself for its classifier.

    Of the local handles on one server only the first is asked for, since the next one may push it out of
    memory; `named` names are asked for in any case, and with `with_all` every local handle is.
    """
    steps: list[WarmupStep] = []
    left_out: list[str] = []
    asked: set[object] = set()
    for name in named or settings.handles:
        found = settings.router.groups.get(name, [])
        why = _why_not(settings, name, found, asked, is_chosen=bool(named), with_all=with_all)
        if why:
            left_out.append(f"{name}: {why}")
            continue
        asked |= {server(one.api_base) for one in found if one.api_base}
        is_lane = name in settings.homelab.optillm
        fields = {APPROACH: "none"} if is_lane else {}
        one = step(name, gateway, found[0].mode if found else "chat", **fields)
        steps += [one] if one is not None else []
    if with_router:
        steps += _classifiers(settings)
    return WarmupPlan(tuple(steps), tuple(left_out))


def _why_not(
    settings: Settings,
    name: str,
    found: list[Deployment],
    asked: set[object],
    *,
    is_chosen: bool,
    with_all: bool,
) -> str:
    """Why a handle is not asked for; empty where it is."""
    lane = settings.homelab.optillm.get(name)
    if lane is not None and "none" not in lane.approaches:
        return "the approach none is not allowed there, and every other one makes several calls"
    if is_chosen:
        return "" if not found or found[0].mode in ROUTES else f"nothing is tiny for mode {found[0].mode}"
    if not found or not all(one.api_base and is_local(one.api_base) for one in found):
        return "not on a server of your own"
    if found[0].mode not in ROUTES:
        return f"nothing is tiny for mode {found[0].mode}"
    if lane is None and not with_all and any(server(one.api_base) in asked for one in found):
        return "another handle on its server is loaded; --all or --model loads it too"
    return ""


def _classifiers(settings: Settings) -> Iterator[WarmupStep]:
    """One request to each OptiLLM, with the key and the model of its deployment."""
    done: set[object] = set()
    for name in settings.homelab.optillm:
        for one in settings.router.groups.get(name, []):
            key = one.params.get("api_key")
            if not one.api_base or is_unset(one.api_base) or server(one.api_base) in done:
                continue
            done.add(server(one.api_base))
            has_key = isinstance(key, str) and not is_unset(key)
            yield classifier(one.upstream_model, target(one.api_base, str(key) if has_key else ""))


def gateway_address(environ: Mapping[str, str]) -> str:
    """Where the gateway listens, by the variable that `make run` and the units read."""
    port = environ.get("PORT", "")
    return f"http://127.0.0.1:{port if re.fullmatch('[0-9]{1,5}', port) else 4000}"


def for_models(models: Collection[str], where: ProbeTarget, *, with_router: bool) -> WarmupPlan:
    """The requests for models of a server, without a router.yaml."""
    found = [one for model in models if (one := step(model, where)) is not None]
    more = [classifier(next(iter(models)), where)] if with_router and models else []
    return WarmupPlan((*found, *more))
