"""Errors of LiteLLM's own that come before any hook of ours has seen the request, in the client's terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from starlette.types import Scope

from litellm_homelab.access.callers import Caller, Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.middleware.route_access import keys
from litellm_homelab.adapter.policies.fields import RequestFields
from litellm_homelab.decision import Refuse

Early: TypeAlias = Callable[[RequestContext], Refuse | None]
"""What a client gets in the place of an error that came before pre-call."""


class EarlyErrors:
    """
    Says why LiteLLM could not read a request: which field of it this gateway refuses or does not know.

    LiteLLM 1.106.2 looks at the fields of a form before it asks for a key ("Rejected Request: base_url is not
    allowed in request body", a 500) and fails on some before pre-call, where the fields rule judges forms.
    """

    def __init__(self, fields: RequestFields, keyring: Keyring) -> None:
        self._fields = fields
        self._keyring = keyring

    def __call__(self, record: RequestContext) -> Refuse | None:
        """The refusal to give in the place of an error; None to leave it."""
        if record.opened or record.outcome.refusals:
            return None
        found = record.refused_field or self._fields.judged_form(record)
        if found is None:
            return None
        if record.stats.sender is None and self._sender(record.scope) is None:
            return Gate.unknown(missing=not keys(record.scope))
        return found

    def _sender(self, scope: Scope) -> Caller | None:
        return next((found for key in keys(scope) if (found := self._keyring.find(key))), None)
