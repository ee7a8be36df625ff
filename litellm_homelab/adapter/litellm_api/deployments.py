"""The router's deployments by id."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api import router_members as members
from litellm_homelab.config import wildcards
from litellm_homelab.showroom import modes

Entry: TypeAlias = tuple[str, Mapping[str, Any]]


class Deployments:
    """
    Looks deployments up in LiteLLM's router, each once: the parameters of an id never change.

    `router` gives the router at call time, since LiteLLM rebinds it.
    """

    def __init__(
        self,
        router: Callable[[], Any],
        names: Iterable[str] = (),
        late: Callable[[str], Collection[str]] = lambda _: (),
    ) -> None:
        """
        `names` are the showroom's, for those that are below a wildcard group.

        `late` gives for a wildcard group the names that its backend lists now.
        """
        self._router = router
        self._names = tuple(names)
        self._late = late
        self._known = _Known(router)

    def group_of(self, deployment: str) -> str | None:
        """The group of a deployment, None for an id that the router does not know."""
        found = self._known[deployment]
        return found[0] if found else None

    def params_of(self, deployment: str) -> Mapping[str, Any]:
        """A deployment's own `litellm_params`; empty for an unknown one."""
        found = self._known[deployment]
        return found[1] if found else {}

    def group_in(self, kwargs: Mapping[str, Any], asked: str | None = None) -> str | None:
        """
        The group that an attempt goes to; None where the router chose no deployment that it knows.

        For a deployment of a wildcard group it is the showroom's name that leads to the attempt's model, and
        the wildcard itself where there is none. Where several do, it is the one asked for.
        """
        chosen = request.deployment_id(kwargs)
        group = self.group_of(chosen) if chosen else None
        if chosen is None or group is None or not wildcards.is_wildcard(group):
            return group
        sent = kwargs.get("model")
        if asked in self._late(group) and wildcards.same_model(sent, self.model_for(chosen, asked) or ""):
            return asked
        found = [name for name, model in self._below(chosen) if wildcards.same_model(sent, model)]
        return (asked if asked in found else found[0]) if found else group

    def model_for(self, deployment: str, group: str | None) -> str | None:
        """The model of a wildcard's deployment for one of the showroom's names; None for any other."""
        pattern, params = self._known[deployment] or ("", {})
        if not wildcards.is_wildcard(pattern):
            return None
        if group is not None and group in self._late(pattern):
            return wildcards.concrete(pattern, str(params.get("model") or ""), group)
        return dict(self._below(deployment)).get(group or "")

    def _below(self, deployment: str) -> Iterator[tuple[str, str]]:
        """The showroom's names below a deployment's wildcard, each with the model that it leads to."""
        group, params = self._known[deployment] or ("", {})
        names = (*self._names, *self._late(group)) if wildcards.is_wildcard(group) else ()
        for name in names:
            model = wildcards.concrete(group, str(params.get("model") or ""), name)
            if model is not None and name != group:
                yield name, model

    def all(self) -> list[dict[str, Any]]:
        """
        Every deployment, as LiteLLM keeps it; empty before there is a router.

        One of a wildcard group is there once for each name of the showroom below it.
        """
        return [one for each in self.kept() for one in self._each(each)]

    def kept(self) -> Sequence[dict[str, Any]]:
        """Every deployment, those of wildcard groups once."""
        router = self._router()
        return members.model_list(router) if router is not None else ()

    def _each(self, deployment: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not wildcards.is_wildcard(str(deployment.get("model_name", ""))):
            yield deployment
            return
        params = deployment.get("litellm_params") or {}
        for name, model in self._below(str((deployment.get("model_info") or {}).get("id") or "")):
            yield {**deployment, "model_name": name, "litellm_params": {**params, "model": model}}

    def has_router(self) -> bool:
        """Whether LiteLLM has made its router."""
        return self._router() is not None

    def mode_of(self, group: str) -> str:
        """The mode of a group as LiteLLM has it now; chat where it is not set."""
        for one in self.all():
            if one.get("model_name") == group:
                found = (one.get("model_info") or {}).get("mode")
                return found if found in modes.MODES else modes.guessed(str(one["litellm_params"]["model"]))
        return "chat"

    def has_window_fallbacks(self) -> bool:
        """Whether router.yaml has fallbacks for prompts that are too long."""
        return bool(members.context_window_fallbacks(self._router()))


class _Known(dict[str, Entry | None]):
    """The deployments that were looked up by their ids, each with its group and `litellm_params`."""

    def __init__(self, router: Callable[[], Any]) -> None:
        super().__init__()
        self._router = router

    def __missing__(self, deployment: str) -> Entry | None:
        found = members.deployment(self._router(), deployment)
        if found is None:
            return None  # and not kept: LiteLLM's database may add it later
        self[deployment] = found.model_name, found.litellm_params.model_dump(exclude_none=True)
        return self[deployment]
