"""The router's deployments by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Deployments:
    """
    Looks deployments up in LiteLLM's router, each once: an id stands for one set of parameters for good.

    `router` gives the router at call time, since LiteLLM rebinds it.
    """

    def __init__(self, router: Callable[[], Any]) -> None:
        self._router = router
        self._known: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def group_of(self, deployment: str) -> str | None:
        """The group of a deployment, None for an id that the router does not know."""
        found = self._find(deployment)
        return found[0] if found else None

    def params_of(self, deployment: str) -> Mapping[str, Any]:
        """A deployment's own `litellm_params`; empty for an unknown one."""
        found = self._find(deployment)
        return found[1] if found else {}

    def all(self) -> list[dict[str, Any]]:
        """Every deployment, as LiteLLM keeps it; empty before there is a router."""
        router = self._router()
        return list(router.model_list) if router is not None else []

    def has_router(self) -> bool:
        """Whether LiteLLM has made its router."""
        return self._router() is not None

    def has_window_fallbacks(self) -> bool:
        """Whether the operator has fallbacks for prompts that are too long."""
        return bool(getattr(self._router(), "context_window_fallbacks", None))

    def _find(self, deployment: str) -> tuple[str, Mapping[str, Any]] | None:
        if deployment not in self._known:
            found = self._router().get_deployment(model_id=deployment)
            if found is None:
                return None
            self._known[deployment] = (found.model_name, found.litellm_params.model_dump(exclude_none=True))
        return self._known[deployment]
