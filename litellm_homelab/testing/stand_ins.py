"""Sends what LiteLLM sends to stand-ins: below the transport's rule, which sees the true address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

import httpx
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.adapter import context
from litellm_homelab.adapter.backends.probing import Asked
from litellm_homelab.adapter.litellm_api import router_members as members
from litellm_homelab.attempts import address
from litellm_homelab.attempts.address import Address
from litellm_homelab.testing.upstream import SEARCH, Upstreams

VERSION: Final = "v1"

NONE_YET: Final = ""

_attempt: ContextVar[str | None] = ContextVar("litellm_homelab_mock_attempt", default=NONE_YET)
"""The deployment of the attempt under way; None for an attempt that has none."""


class StandIns(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """
    Every attempt goes to the stand-in of its deployment's group, whatever its address says.

    The attempt is known by the deployment's id, noted in LiteLLM's own hook; what belongs to none (search
    tools, health checks) by its address.
    """

    def __init__(self, base: str, router: Any, upstreams: Upstreams) -> None:  # noqa: ANN401 - LiteLLM's Router
        super().__init__()
        self._upstreams = upstreams
        self._base = httpx.URL(base)
        self._router = router
        self._look()

    def _look(self) -> None:
        """Read the router's deployments, to which LiteLLM's database may add later."""
        models = members.model_list(self._router) if self._router is not None else ()
        self._groups = {one["model_info"]["id"]: one["model_name"] for one in models}
        self._models = {one["model_info"]["id"]: _name(one["litellm_params"]) for one in models}
        self._bases = {one["model_info"]["id"]: _base_of(one["litellm_params"]) for one in models}

    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> None:
        """Note the deployment of the attempt that begins here."""
        _attempt.set((kwargs.get("model_info") or {}).get("id"))

    def divert(self, _: object, request: httpx.Request) -> httpx.Request:
        """The same request, to the stand-in; one that is not LiteLLM's (a test's own client) as it is."""
        if _attempt.get() == NONE_YET and context.current() is None:
            return request
        where = address.parse(str(request.url))
        if _attempt.get() not in self._groups:
            self._look()
        deployment = _attempt.get() or _chosen() or self._at(where)
        if where is not None and where.origin == (self._base.scheme, self._base.host, self._base.port):
            return request  # to a stand-in by its own address
        if deployment in self._groups:
            rest = _behind(self._bases[deployment], where)
            upstream = self._upstreams.of(self._groups[deployment])
            if upstream.is_down:
                upstream.refuse(request, "/".join(["", VERSION, *rest]))
            path = "/".join([Upstreams.path(self._groups[deployment]), VERSION, *rest])
        else:
            path = Upstreams.path(SEARCH) + "/" + (where.segments[-1] if where and where.segments else "")
        return self._moved(request, path)

    async def probed(self, asked: Asked) -> tuple[int, bytes]:
        """
        Answer a probe of a backend, for the stand-ins at its address; no socket is opened.

        Raises:
            httpx.ConnectError: all of them are down, or there is none.

        """
        self._look()
        where = address.parse(asked.url)
        ids = [one for one, base in self._bases.items() if base and where and base.origin == where.origin]
        there = [one for one in ids if not self._upstreams.of(self._groups[one]).is_down]
        if where is None or not there:
            raise httpx.ConnectError("Connection refused")
        for group in dict.fromkeys(self._groups[one] for one in there):
            self._upstreams.of(group).probes.append("/" + "/".join(where.segments))
        models = [self._models[one] for one in there if not self._upstreams.of(self._groups[one]).is_gone]
        return 200, json.dumps(_listing(models)).encode()

    def _moved(self, request: httpx.Request, path: str) -> httpx.Request:
        query = request.url.query
        raw = path.encode() + (b"?" + query if query else b"")
        request.url = self._base.copy_with(raw_path=raw)
        request.headers["host"] = request.url.netloc.decode()
        return request

    def _at(self, where: Address | None) -> str | None:
        """The deployment that an address is below; None where there is none."""
        if where is None:
            return None
        found = (one for one, base in self._bases.items() if base and address.below(base, where) is not None)
        return next(found, None)


def _name(params: Mapping[str, Any]) -> str:
    """A model as its server knows it."""
    return str(params.get("model") or "").partition("/")[2]


def _listing(models: list[str]) -> dict[str, Any]:
    """A list of models in the shapes of all kinds of servers at a time."""
    rows = [{"id": name, "name": name, "model": name, "state": "not-loaded"} for name in models]
    return {"object": "list", "data": rows, "models": rows, "running": []}


def _chosen() -> str | None:
    """The deployment that our hooks have chosen: some streams send in another task than the hook's."""
    chosen = context.chosen()
    return chosen.deployment if chosen else None


def _base_of(params: Mapping[str, Any]) -> Address | None:
    base = params.get("api_base")
    return address.parse(base) if isinstance(base, str) else None


def _behind(base: Address | None, where: Address | None) -> tuple[str, ...]:
    """The segments of an address behind its deployment's, or behind the version."""
    segments = where.segments if where is not None else ()
    rest = address.below(base, where) if base is not None and where is not None else None
    if rest is not None:
        return rest[1:] if rest[:1] == (VERSION,) else rest
    return segments[segments.index(VERSION) + 1 :] if VERSION in segments else segments
