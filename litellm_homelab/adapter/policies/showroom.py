"""The showroom's hooks: pre-call, per attempt, model listing, answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from litellm.constants import RETURN_RAW_MODEL_NAME_METADATA_KEY

from litellm_homelab import refusals
from litellm_homelab.access.callers import MASTER
from litellm_homelab.adapter import context
from litellm_homelab.adapter.backends.directory import Directory
from litellm_homelab.adapter.backends.discovered import Discovered
from litellm_homelab.adapter.context import Chosen, RequestContext
from litellm_homelab.adapter.fail_closed import log
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused, policy_error
from litellm_homelab.adapter.litellm_api.own_errors import OwnErrors
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policies.fields import own_extra_body, refuse_malformed
from litellm_homelab.adapter.policies.request_opening import RequestOpening
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.attempts import target
from litellm_homelab.config import wildcards
from litellm_homelab.decision import Allow, Refuse
from litellm_homelab.showroom.rule import Showroom

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

SEARCHES = frozenset({"asearch"})
LED_ELSEWHERE: Final = (
    "homelab showroom rule refused an attempt: the request was for %s, but LiteLLM chose a deployment of %s, "
    "to which nothing in router.yaml leads from there. If a callback of yours changes `model`, list it "
    "before litellm_homelab.plugin in litellm_settings.callbacks; if a router of LiteLLM's chose it, "
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


class ShowroomPolicy(Policy):
    """Applies the showroom rule: which names a request may use, and which groups its attempts may reach."""

    name = "showroom"

    def __init__(
        self,
        rule: Showroom,
        opening: RequestOpening,
        deployments: Deployments,
        targets: Targets,
        own_errors: OwnErrors,
        discovered: Discovered,
        directory: Directory,
    ) -> None:
        self._rule = rule
        self._own_errors = own_errors
        self._discovered = discovered
        self._directory = directory
        self._opening = opening
        self._deployments = deployments
        self._targets = targets
        self.is_away: Callable[[], Callable[[str], bool]] | None = None
        """What says of a name whether nothing of its chain is there; None where that is not followed."""

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        own_errors = OwnErrors(shared.deployments, shared.scrub)
        return cls(
            shared.showroom,
            shared.opening,
            shared.deployments,
            shared.targets,
            own_errors,
            shared.discovered,
            shared.directory,
        )

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:
        """Refuse a name or a route; remember what was asked for."""
        if ctx.open_route:
            return
        seen = request.read(data, str(call_type))
        others = request.asked(seen, self._deployments.group_of)
        decision = self._rule.request(seen.call_type, seen.model, others, ctx.caller)
        if isinstance(decision, Refuse):
            raise Refused(decision)
        refuse_malformed(ctx)
        ctx.asked = seen.model if isinstance(seen.model, str) else next(iter(others), None)
        # Asks LiteLLM to leave `model` in answers alone: after a fallback it would put the upstream's
        # or the fallback group's name there, after every hook of ours.
        request.metadata_of(data)[RETURN_RAW_MODEL_NAME_METADATA_KEY] = True

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Refuse an attempt whose deployment the request may not lead to, or after an error of LiteLLM's."""
        record = ctx
        if record is not None and record.open_route:
            self._of_an_opened_route(record, kwargs)
            return None
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
        if chosen is not None and self._strays(group, chosen):
            decision = self._rule.not_found(asked, caller)
        if isinstance(decision, Refuse) and asked is not None and group is not None:
            log.error(LED_ELSEWHERE, asked, group)
        if isinstance(decision, Allow) and chosen is not None:
            decision = self._carried(chosen, model, kwargs, record)
        if isinstance(decision, Allow):
            context.choose(Chosen(chosen, model))
            if record is not None:
                record.stats.chosen = group
            return own_extra_body(kwargs, self._deployments.params_of(chosen) if chosen else {})
        raise _harmless(record, decision, "showroom")

    def _of_an_opened_route(self, record: RequestContext, kwargs: dict[str, Any]) -> None:
        """Refuse a deployment of `model_list` that the caller may not use; a pass-through chooses none."""
        chosen = request.deployment_id(kwargs)
        if chosen is None:
            return
        asked = record.model if record.model in self._rule.served(record.caller) else None
        group = self._deployments.group_in(kwargs, asked)
        decision = self._rule.attempt(asked, group, record.caller)
        if self._strays(group, chosen):
            decision = self._rule.not_found(asked, record.caller)
        record.stats.chosen = group
        if isinstance(decision, Refuse):
            raise _harmless(record, decision, "showroom")

    def _strays(self, name: str | None, deployment: str) -> bool:
        """
        Whether a name that a backend lists would reach another one.

        LiteLLM's database may have a group of the same name, or further deployments of the wildcard group.
        """
        place = self._discovered.place_of(name)
        if place is None:
            return False
        return place != (self._deployments.group_of(deployment), self._directory.of(deployment, name))

    def _carried(
        self, chosen: str, model: str | None, kwargs: Mapping[str, Any], record: RequestContext | None
    ) -> Allow | Refuse:
        """Decide on the address, key, provider and model that an attempt carries."""
        found = self._targets.of(chosen, model)
        wrong = target.carried(found, kwargs, self._targets.params_of(chosen)) if found else "model_info"
        if wrong is None:
            return Allow()
        log.error("homelab showroom rule refused an attempt: its %s is not the chosen deployment's", wrong)
        if record is None or wrong == "model" or wrong not in record.fields:
            return policy_error("showroom").refusal
        return refusals.field_that_redirects(wrong)

    def sending(self, ctx: RequestContext | None, body: dict[str, Any]) -> None:  # noqa: ARG002 - not changed here
        """Note that the attempt is about to be sent."""
        if ctx is not None:
            ctx.announced = True

    async def attempt_failed(self, ctx: RequestContext, error: Exception) -> None:
        """Remember an error that LiteLLM raised before anything was sent."""
        self._own_errors.failed(ctx, error)

    @staticmethod
    def _needs_no_deployment(kwargs: dict[str, Any], call_type: Any, record: RequestContext | None) -> bool:  # noqa: ANN401
        if record is not None and record.asked is not None:
            return _name(call_type) in WITHOUT_DEPLOYMENT
        ours = record is None or record.path.startswith("/health")
        return ours and request.is_health_check(kwargs)

    def listed(
        self,
        ctx: RequestContext | None,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's type
        model_names: Sequence[str],
    ) -> list[str]:
        """Keep the caller's handles, in the order of `handles`."""
        there = set(model_names)
        names = self._there(self._rule.listed(self._opening.caller(user_api_key_dict)))
        if ctx is not None:
            ctx.listed = tuple(name for name in names if _granted(user_api_key_dict, name))
        return [name for name in names if name in there]

    def _there(self, names: Sequence[str]) -> Sequence[str]:
        """Of some names those that could be served now."""
        if self.is_away is None:
            return names
        is_away = self.is_away()
        return [name for name in names if not is_away(name)]

    def below(self, record: RequestContext) -> dict[str, str]:
        """The names below wildcard groups, with their modes, that the listing of a request has."""
        if not self._rule.concrete and not self._rule.late.modes:
            return {}
        names = record.listed
        if names is None:  # LiteLLM had nothing to list, and did not ask
            caller = self._opening.sender(record.stats.sender)
            names = tuple(self._there(self._rule.listed(caller))) if caller is not None else ()
        modes = ((name, self._rule.below_wildcards(name)) for name in names)
        return {name: mode for name, mode in modes if mode is not None}

    def is_below(self, name: str) -> bool:
        """Whether a name of the showroom is below a wildcard group."""
        return self._rule.below_wildcards(name) is not None


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


def _harmless(record: RequestContext | None, refusal: Refuse, rule: str) -> Refused:
    """
    A refusal of an attempt as LiteLLM's router gets it: with a 400, whatever the client gets.

    The router cools a deployment down for a 404 and for every 5xx, a guardrail's too (measured on 1.106.2).
    `LastWord` gives the client what the record has.
    """
    if record is None:
        return Refused(refusal, rule)
    record.outcome.refuse(rule, refusal, Level.ATTEMPT)
    return Refused(replace(refusal, to_child=True), rule)
