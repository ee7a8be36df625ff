"""The showroom's hooks: pre-call, per attempt, model listing, answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from litellm.constants import RETURN_RAW_MODEL_NAME_METADATA_KEY
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.access.callers import MASTER
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import Chosen
from litellm_homelab.adapter.fail_closed import broken, closed, counted, log
from litellm_homelab.adapter.litellm_api import request, streams
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused, policy_error
from litellm_homelab.adapter.litellm_api.last_line import RULE
from litellm_homelab.adapter.litellm_api.own_errors import OwnErrors
from litellm_homelab.adapter.litellm_api.request_body import SENT, sent
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.policies.error_response import Closing
from litellm_homelab.adapter.policies.fields import RULE as FIELDS
from litellm_homelab.adapter.policies.fields import RequestFields, own_extra_body, pending, refuse_malformed
from litellm_homelab.adapter.policies.request_opening import Opening
from litellm_homelab.adapter.recording import timed
from litellm_homelab.attempts import target
from litellm_homelab.config import wildcards
from litellm_homelab.decision import Allow, RefusalType, Refuse
from litellm_homelab.showroom.rule import Showroom

SEARCHES = frozenset({"asearch"})
LED_ELSEWHERE: Final = (
    "homelab showroom rule refused an attempt: the request was for %s, but LiteLLM chose a deployment of %s, "
    "to which nothing in router.yaml leads from there. If a callback of yours changes `model`, list it "
    "before litellm_homelab.hooks.showroom in litellm_settings.callbacks; if a router of LiteLLM's chose it, "
    "list the group under homelab.showroom.internal and in that router's settings"
)
WITHOUT_DEPLOYMENT = frozenset(
    {"asearch", "acreate_file", "afile_list", "afile_retrieve", "afile_content"}
) | {
    "afile_delete",
    "acreate_batch",
    "aretrieve_batch",
    "acancel_batch",
    "alist_batches",
}
"""Call types whose attempts have no deployment chosen by the router (measured on LiteLLM 1.106.2)."""


class ShowroomCallback(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """
    Applies the showroom rule to LiteLLM.

    Every hook is defined on this class itself: LiteLLM skips an inherited `async_pre_call_hook` without a
    word (measured on 1.106.2).
    """

    def __init__(
        self,
        rule: Showroom,
        opening: Opening,
        deployments: Deployments,
        closing: Closing,
        targets: Targets,
        fields: RequestFields,
    ) -> None:
        super().__init__()
        self._own_errors = OwnErrors(deployments, closing.scrub)
        self._fields = fields
        self._rule = rule
        self.concrete = rule.concrete
        self._opening = opening
        self._deployments = deployments
        self._closing = closing
        self._targets = targets

    # --- deciding ----------------------------------------------------------------------------------

    @timed("pre_call")
    @closed("showroom")
    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's signature
        cache: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """Refuse a field, a name or a route; remember what was asked for."""
        record = context.required()
        self._fields.form(record, data, sent(record, data))
        await self._opening.open(data, user_api_key_dict)
        if record.open_route:
            return data
        refused = pending(record)
        if refused is not None:
            raise Refused(refused, FIELDS)
        seen = request.read(data, str(call_type))
        others = request.asked(seen, self._deployments.group_of)
        decision = self._rule.request(seen.call_type, seen.model, others, record.caller)
        if isinstance(decision, Refuse):
            raise Refused(decision)
        refuse_malformed(record)
        record.asked = seen.model if isinstance(seen.model, str) else next(iter(others), None)
        # Asks LiteLLM to leave `model` in answers alone: after a fallback it would put the upstream's
        # or the fallback group's name there, after every hook of ours.
        request.metadata_of(data)[RETURN_RAW_MODEL_NAME_METADATA_KEY] = True
        return data

    @timed("attempt")
    @closed("showroom")
    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's signature
    ) -> dict[str, Any] | None:
        """Refuse an attempt whose deployment the request may not lead to, or after an error of LiteLLM's."""
        record = context.current()
        if record is not None and record.open_route:
            self._of_an_opened_route(record, kwargs)
            return None
        _end_if_refused_on_the_wire(record)
        if record is not None:
            self._own_errors.begin(record, kwargs)
        chosen = request.deployment_id(kwargs)
        if chosen is None and self._needs_no_deployment(kwargs, call_type, record):
            if record is not None and _name(call_type) in SEARCHES:
                context.choose(Chosen(search_tool=record.asked))
            return None
        asked, caller = (record.asked, record.caller) if record else (None, MASTER)
        group = self._deployments.group_in(kwargs, asked)
        model = self._deployments.model_for(chosen, group) if chosen else None
        decision = self._rule.attempt(asked, group, caller)
        if isinstance(decision, Refuse) and asked is not None and group is not None:
            log.error(LED_ELSEWHERE, asked, group)
        if isinstance(decision, Allow) and chosen is not None:
            decision = self._carried(chosen, model, kwargs, record)
        if isinstance(decision, Allow):
            context.choose(Chosen(chosen, model))
            if record is not None:
                record.tally.chosen = group
            return own_extra_body(kwargs, self._deployments.params_of(chosen) if chosen else {})
        raise _harmless(record, decision, "showroom")

    def _of_an_opened_route(self, record: context.Record, kwargs: dict[str, Any]) -> None:
        """Refuse a deployment of `model_list` that the caller may not use; a pass-through chooses none."""
        if request.deployment_id(kwargs) is None:
            return
        asked = record.model if record.model in self._rule.served(record.caller) else None
        decision = self._rule.attempt(asked, self._deployments.group_in(kwargs, asked), record.caller)
        if isinstance(decision, Refuse):
            raise _harmless(record, decision, "showroom")

    def _carried(
        self, chosen: str, model: str | None, kwargs: Mapping[str, Any], record: context.Record | None
    ) -> Allow | Refuse:
        """Decide on the address, key, provider and model that an attempt carries."""
        found = self._targets.of(chosen, model)
        wrong = target.carried(found, kwargs, self._targets.params_of(chosen)) if found else "model_info"
        if wrong is None:
            return Allow()
        log.error("homelab showroom rule refused an attempt: its %s is not the chosen deployment's", wrong)
        if record is None or wrong == "model" or wrong not in record.fields:
            return policy_error("showroom").refusal
        return Refuse(
            RefusalType.PARAM_NOT_ALLOWED,
            f"{wrong} would change where this request goes. Leave it out: the handle decides that.",
            param=wrong,
        )

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Note that the attempt is about to be sent."""
        record = context.current()
        if record is not None and SENT in (kwargs.get("additional_args") or {}):
            record.announced = True

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        exception: Exception,
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        fallback_depth: int | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> None:
        """Remember an error that LiteLLM raised before anything was sent."""
        record = context.current()
        with counted("showroom"):
            if record is not None:
                self._own_errors.failed(record, exception)

    @staticmethod
    def _needs_no_deployment(kwargs: dict[str, Any], call_type: Any, record: context.Record | None) -> bool:  # noqa: ANN401
        if record is not None and record.asked is not None:
            return _name(call_type) in WITHOUT_DEPLOYMENT
        ours = record is None or record.path.startswith("/health")
        return ours and request.is_health_check(kwargs)

    @timed("listing")
    @closed("showroom")
    async def async_filter_listed_models(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's signature
        model_names: Sequence[str],
    ) -> Sequence[str]:
        """Keep the caller's handles, in the order of `handles`."""
        there, record = set(model_names), context.current()
        names = self._rule.listed(self._opening.caller(user_api_key_dict))
        if record is not None:
            record.listed = tuple(name for name in names if _granted(user_api_key_dict, name))
        return [name for name in names if name in there]

    def below(self, record: context.Record) -> dict[str, str]:
        """The names below wildcard groups, with their modes, that the listing of a request has."""
        if not self._rule.concrete:
            return {}
        names = record.listed
        if names is None:  # LiteLLM had nothing to list, and did not ask
            caller = self._opening.sender(record.tally.sender)
            names = self._rule.listed(caller) if caller is not None else ()
        return {name: self._rule.modes.get(name, "chat") for name in names if name in self._rule.concrete}

    # --- errors ------------------------------------------------------------------------------------

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        response: AsyncIterator[Any],
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
    ) -> AsyncGenerator[Any, None]:
        """Clean an error of the upstream that comes before the first chunk, or after it."""
        record = context.current()
        if record is None or (record.asked is None and not record.open_route):
            raise broken("showroom", LookupError("a stream of a request that pre-call did not see"))
        async for chunk in streams.refined_stream(response, self._closing.refined):
            yield chunk

    @timed("failure")
    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],  # noqa: ARG002 - LiteLLM's signature
        original_exception: Exception,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        traceback_str: str | None = None,  # noqa: ARG002 - LiteLLM's signature
    ) -> Any:  # noqa: ANN401 - an HTTPException or None
        """Give the client our own refusal of an attempt, or an upstream's error without its names."""
        return await self._closing.failure(original_exception)


def _granted(user_api_key_dict: Any, name: str) -> bool:  # noqa: ANN401 - LiteLLM's type
    """Whether LiteLLM's own key, where it has a list of models, has this one."""
    models = [
        *(getattr(user_api_key_dict, "models", None) or ()),
        *(getattr(user_api_key_dict, "team_models", None) or ()),
    ]
    return not models or any(one in {name, "all-proxy-models"} or _matches(one, name) for one in models)


def _matches(pattern: str, name: str) -> bool:
    return wildcards.is_wildcard(pattern) and wildcards.concrete(pattern, pattern, name) is not None


def _name(call_type: Any) -> str:  # noqa: ANN401 - LiteLLM's enum, or None
    return str(getattr(call_type, "value", call_type))


def _end_if_refused_on_the_wire(record: context.Record | None) -> None:
    """
    End a request of which the transport has refused a call: LiteLLM goes on with the next attempt.

    Raises:
        Refused: it has.

    """
    refusal = record.refusal if record else None
    if record is not None and refusal is not None and record.tally.rule_of(refusal) == RULE:
        raise _harmless(record, refusal, RULE)


def _harmless(record: context.Record | None, refusal: Refuse, rule: str) -> Refused:
    """
    A refusal of an attempt as LiteLLM's router gets it: with a 400, whatever the client gets.

    The router cools a deployment down for a 404 and for every 5xx, a guardrail's too (measured on 1.106.2).
    `Closing` gives the client what the record has.
    """
    if record is None:
        return Refused(refusal, rule)
    record.refusal = refusal
    context.refused(rule, refusal)
    return Refused(replace(refusal, to_child=True), rule)
