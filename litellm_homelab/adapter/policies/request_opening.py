"""Opens a request once, before any rule looks: mark off, prefix off, caller found, re-entry stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from litellm_homelab import refusals
from litellm_homelab.access.callers import MASTER, Caller
from litellm_homelab.adapter.context import Child, RequestContext
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.litellm_api.request_body import sent
from litellm_homelab.adapter.middleware import model_names
from litellm_homelab.adapter.optillm.admission import LineageGuard
from litellm_homelab.adapter.policies.fields import RequestFields
from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.showroom import names

CALLER_KEY = "homelab_caller"
"""Where the gate leaves the caller in `UserAPIKeyAuth.metadata`, which clients cannot write."""


class RequestOpening:
    """What is done with a request before any policy is asked."""

    def __init__(
        self,
        lanes: Lanes,
        secret: str,
        guard: LineageGuard | None,
        callers: Mapping[str, Caller],
        deployments: Deployments,
        fields: RequestFields,
    ) -> None:
        self._fields = fields
        self._lanes = lanes
        self._secret = secret
        self._guard = guard
        self._callers = callers
        self._deployments = deployments

    async def open(
        self,
        record: RequestContext,
        data: dict[str, Any],
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's type
    ) -> None:
        """
        Open the request behind LiteLLM's dict; takes marks and prefixes off `data["model"]`.

        Raises:
            Refused: two places that name different models, a forged mark, a re-entry, a child too many.

        """
        self._fields.form(record, data, sent(record, data))
        record.opened = True
        record.caller = self.caller(user_api_key_dict)
        record.fields = request.body_of(data)
        named = tuple(model_names.places(record, data, self._deployments.group_of))
        self._take_path(record, data)
        self._take_mark(record, data)
        self._take_models(data)
        self._take_prefix(record, data)
        model = data.get("model")
        record.model = model if isinstance(model, str) else None
        if record.forged is not None:
            raise Refused(refusals.lineage_token_invalid(), "loop_guard")
        refusal = names.disagreement(named)
        if refusal is not None and not record.open_route:
            raise Refused(refusal, "showroom")
        if self._guard is not None:
            await self._guard.enter(record, model)

    def caller(self, user_api_key_dict: Any) -> Caller:  # noqa: ANN401 - LiteLLM's type
        """The caller whom the gate recognised; the master key's rights for anyone LiteLLM let in itself."""
        metadata = getattr(user_api_key_dict, "metadata", None)
        name = metadata.get(CALLER_KEY) if isinstance(metadata, Mapping) else None
        return self._callers[name] if name is not None else MASTER

    def sender(self, name: str | None) -> Caller | None:
        """The caller of a name that the gate has noted; None for one who is not the gate's."""
        return MASTER if name == MASTER.name else self._callers.get(name or "")

    def bare(self, model: object) -> object:
        """A model name without an approach or `models/` before it; anything else as it is."""
        if not isinstance(model, str):
            return model
        split = self._lanes.split_prefix(model)
        return split[1] if split is not None else model.removeprefix(names.PREFIX)

    def unmarked(self, record: RequestContext, model: str) -> str:
        """`model` without a mark; who it belongs to, or why it is not accepted, goes into the record."""
        seen = lineage.open(model, self._secret, time.time())
        if isinstance(seen, lineage.ChildName):
            record.child = Child(seen.root, seen.hop)
            return seen.model
        if isinstance(seen, lineage.Forged):
            record.forged = seen.reason
            return model.split(lineage.MARKER, 1)[0]
        return model

    def _take_mark(self, record: RequestContext, data: dict[str, Any]) -> None:
        model = data.get("model")
        if isinstance(model, str) and lineage.MARKER in model:
            data["model"] = self.unmarked(record, model)
            request.forget_model(data, model, data["model"])

    @staticmethod
    def _take_path(record: RequestContext, data: dict[str, Any]) -> None:
        """A name in the path is the name; one in `extra_body`, which would go over the upstream's, is not."""
        path = model_names.in_path(record)
        if path is not None:
            data["model"] = path
        extra = data.get("extra_body")
        if isinstance(extra, Mapping) and "model" in extra:
            data["extra_body"] = {name: value for name, value in extra.items() if name != "model"}

    def _take_models(self, data: dict[str, Any]) -> None:
        """Take off what Google's SDKs put before a name, unless a group is called so."""
        model = data.get("model")
        if isinstance(model, str) and model.startswith(names.PREFIX):
            groups = {one.get("model_name") for one in self._deployments.all()}
            bare = model if model in groups else model.removeprefix(names.PREFIX)
            data["model"] = bare
            request.forget_model(data, model, bare)

    def _take_prefix(self, record: RequestContext, data: dict[str, Any]) -> None:
        model = data.get("model")
        split = self._lanes.split_prefix(model) if isinstance(model, str) else None
        if split is not None:
            record.prefix, data["model"] = split
