"""Which backend each deployment of LiteLLM's router belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.attempts.address import Address
from litellm_homelab.backends.rule import DEFAULTS, Backends, Server


class Directory:
    """Finds the backend of a deployment and keeps the result: the parameters behind an id never change."""

    def __init__(self, backends: Backends, targets: Targets, deployments: Deployments) -> None:
        self._backends = backends
        self._targets = targets
        self._deployments = deployments
        self._known: dict[tuple[str, str | None], str] = {}

    def of(self, deployment: str, group: str | None) -> str:
        """The name of a deployment's backend; `group` is the concrete name for one below a wildcard."""
        known = (deployment, group)
        if known not in self._known:
            self._known[known] = self._backends.of(self._server(deployment, group))
        return self._known[known]

    def base(self, deployment: str) -> str:
        """Where a deployment's server is; empty where that is not known."""
        return self._written(deployment) or self._found(deployment)

    def key(self, deployment: str) -> str:
        """
        The key that may go to `base`: a deployment's own, to its own address.

        Empty where it has none, or where LiteLLM may have found another address than `base`.
        """
        certain = self._written(deployment) or len({*self._bases(deployment)}) == 1
        return self._own_key(deployment) if certain else ""

    def models(self, deployment: str, model: str | None = None) -> frozenset[str]:
        """Every spelling of a deployment's model; `model` is the concrete one below a wildcard."""
        found = self._targets.of(deployment, model)
        return found.models if found is not None else frozenset()

    def all(self) -> Iterator[tuple[str, str]]:
        """Every deployment of the router, as (group, id)."""
        for one in self._deployments.all():
            yield str(one.get("model_name", "")), id_of(one)

    def kept(self) -> Iterator[tuple[str, str]]:
        """As `all`, with those of wildcard groups as they are in router.yaml."""
        for one in self._deployments.kept():
            yield str(one.get("model_name", "")), id_of(one)

    def _server(self, deployment: str, group: str | None) -> Server:
        provider = self._provider(deployment)
        url = self._written(deployment) or (self._found(deployment) if provider in DEFAULTS else "")
        return Server(group or "", provider, url, self._own_key(deployment))

    def _own_key(self, deployment: str) -> str:
        return str(self._targets.params_of(deployment).get("api_key") or "")

    def _found(self, deployment: str) -> str:
        """The address that LiteLLM finds by itself: the environment's, else the provider's."""
        return next((one.url for one in self._bases(deployment)), "")

    def _bases(self, deployment: str) -> tuple[Address, ...]:
        """Every address that an attempt may have: of several variables LiteLLM reads one."""
        target = self._targets.of(deployment)
        return target.bases if target is not None else ()

    def _provider(self, deployment: str) -> str:
        target = self._targets.of(deployment)
        return target.provider if target else ""

    def _written(self, deployment: str) -> str:
        params = self._targets.params_of(deployment)
        return str(params.get("api_base") or params.get("base_url") or "")


def id_of(deployment: Mapping[str, Any]) -> str:
    """The id of a deployment, as LiteLLM keeps it."""
    return str((deployment.get("model_info") or {}).get("id") or "")
