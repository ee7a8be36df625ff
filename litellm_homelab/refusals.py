"""
Every refusal of this gateway, one function each: its text, type, param and status.

In this order: keys and routes, the request's body, fields, the showroom, OptiLLM handles, the loop guard,
backends, upstreams, and the gateway's own failures. Rules decide when to refuse and call these functions;
`decision.STATUS` has the status of each type. A text says what is wrong and what to do, in whole sentences
(tests/test_refusals.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.quotas.durations import written
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.rule import Limit, Reached

SHOWN: Final = 40
"""Names that a refusal lists before it says how many more there are."""
LONGEST_ECHO: Final = 120
"""Characters of a client's own text that a refusal repeats."""
RETURN_TEXT: Final = "This request came back through OptiLLM"
"""How the refusal of a re-entry starts; most approaches pass it on, and `optillm.hearsay` looks for it."""

# --- keys and routes -------------------------------------------------------------------------------


def key_missing() -> Refuse:
    """No API key was sent."""
    return _key("No API key was sent.")


def key_unknown() -> Refuse:
    """The API key is not in `homelab.callers`, and is not the master key."""
    return _key("This gateway does not know this API key.")


def master_key_missing(route: object) -> Refuse:
    """A route of the master key, without a key or with an unknown one."""
    return _key(f"{route} needs the master key.")


def metrics_key_missing() -> Refuse:
    """`/metrics/` without a key or with an unknown one."""
    return _key("/metrics/ needs a key of role metrics, or the master key.")


def page_key_missing(path: str, roles: Sequence[str]) -> Refuse:
    """A route of the page without a key, with an unknown one, or after the session has ended."""
    return _key(f"{path} needs a key of role {' or '.join(roles)}, or the master key.")


def _key(what: str) -> Refuse:
    text = f"{what} Send `Authorization: Bearer KEY` with the key that the operator gave you."
    return Refuse(RefusalType.AUTHENTICATION_ERROR, text)


def route_closed(route: object) -> Refuse:
    """A route that LiteLLM has and no rule guards."""
    return _route(
        f"This gateway does not serve {route}. Use /v1/chat/completions, /v1/responses, /v1/messages or "
        "/v1/embeddings. The operator can open other routes (homelab.gate.open)."
    )


def route_unreviewed(route: object) -> Refuse:
    """A route that this package knows nothing about: of a newer LiteLLM, or of an operator's own code."""
    return _route(
        f"This gateway does not serve {route}: the installed LiteLLM brings it, and litellm-homelab has not "
        "reviewed it. Use another route. The operator can install a newer litellm-homelab, or open the route "
        "by its whole path (homelab.gate.open)."
    )


def call_type_closed(call_type: object) -> Refuse:
    """A call type of LiteLLM's that the showroom has no entry for."""
    return _route(
        f"This gateway does not serve this route (call type {echo(call_type)}). Use /v1/chat/completions, "
        "/v1/responses, /v1/messages or /v1/embeddings."
    )


def route_of_the_master_key(route: object) -> Refuse:
    """A management route, with a client's key."""
    return _route(f"This key may not use {route}. Use the master key.")


def route_of_other_callers(route: object, routes: Iterable[str]) -> Refuse:
    """A route outside of the caller's own `routes`."""
    return _route(f"This key may not use {route}. It may use: {', '.join(routes)}.")


def metrics_with_another_role() -> Refuse:
    """`/metrics/` with a key of another role."""
    return _route("This key may not read /metrics/. Use a key of role metrics, or the master key.")


def reading_key_elsewhere(path: str) -> Refuse:
    """A key of role metrics or widgets, which read one path, on any other route."""
    return _route(f"This key may only read {path}. Use a key of role client for requests to models.")


def page_with_another_role(path: str, roles: Sequence[str]) -> Refuse:
    """A route of the page with a key of another role."""
    return _route(f"This key may not read {path}. Use a key of role {' or '.join(roles)}, or the master key.")


def page_from_elsewhere() -> Refuse:
    """A form of the page that another site has sent."""
    return _route("This form was sent from another site. Send it from /homelab of this gateway.")


def _route(message: str) -> Refuse:
    return Refuse(RefusalType.ROUTE_NOT_ALLOWED, message)


# --- the request's body ----------------------------------------------------------------------------


def not_an_object() -> Refuse:
    """A body that is JSON of another kind, or no JSON at all."""
    return _body("The body must be a JSON object: {...}.")


def empty_body() -> Refuse:
    """No body on a route that needs one."""
    return _body("The body is empty. Send a JSON object with the header Content-Type: application/json.")


def json_as_a_form(media_type: str) -> Refuse:
    """JSON that is announced as a form, as `curl -d` does."""
    return _body(
        f"The body looks like JSON but Content-Type is {media_type}: send Content-Type: application/json "
        "(curl -H 'Content-Type: application/json')."
    )


def form_instead_of_json(media_type: str) -> Refuse:
    """A form on a route that takes JSON only."""
    return _body(
        f"This route takes JSON only, and Content-Type is {media_type}. Send a JSON object with the header "
        "Content-Type: application/json."
    )


def unreadable_query() -> Refuse:
    """A query that LiteLLM answers with a 500 before any hook (measured on 1.106.2)."""
    return _body("The URL's query has bytes that are not ASCII. Send them percent-encoded (RFC 3986).")


def body_too_large(limit: int) -> Refuse:
    """A body over the limit, in bytes."""
    size = f"{limit // 2**20} MB, the limit of this gateway (homelab.limits.body_mb)"
    return Refuse(RefusalType.BODY_TOO_LARGE, f"The body is larger than {size}. Send a smaller one.")


def too_many(what: str, most: int, param: str | None) -> Refuse:
    """More of `what` than `homelab.limits.parts` allows."""
    return _body(
        f"The request has more than {most} {what} (homelab.limits.parts). Send fewer of them in one request.",
        param,
    )


def nested_too_deeply(depth: int, param: str | None) -> Refuse:
    """More levels of objects and lists than any real request has."""
    return _body(
        f"The request has objects and lists nested more than {depth} levels deep. Send a flatter one.", param
    )


def field_missing(name: str) -> Refuse:
    """A required field that LiteLLM explains badly."""
    return _body(f"'{name}' is missing. It is required.", name)


def wrong_type(name: str, wanted: str, got: str) -> Refuse:
    """A documented field with a value of another JSON type; `wanted` and `got` are in words."""
    return _body(f"'{name}' must be {wanted}, but it is {got}.", name)


def malformed(place: str, why: str) -> Refuse:
    """A conversation of the wrong form: `why` is "expected ..., got ..."."""
    return _body(f"{place}: {why}.", place)


def unknown_form_fields(shown: str, param: str) -> Refuse:
    """A form that LiteLLM could not read, with the fields that its API does not document."""
    return _body(f"The form has fields that this route's API does not document: {shown}. Remove them.", param)


def two_models(first: str, second: str) -> Refuse:
    """Two places (in words) that name different models, or one place that names two."""
    where = f"twice in {first}" if first == second else f"in {first} and in {second}"
    return _body(
        f"The request names two different models, {where}. Name the model in one place.", param="model"
    )


def model_missing(path: str, serving: Sequence[str]) -> Refuse:
    """No model on a route that needs one; `serving` are the caller's models that fit it."""
    return _body(f"'model' is missing. {_serving(path, serving)}", "model")


def response_not_kept() -> Refuse:
    """The id of a response: this gateway keeps none."""
    return Refuse(
        RefusalType.INVALID_BODY,
        "This gateway keeps no responses, so it has none of this id. Send the whole conversation in the "
        "input of POST /v1/responses.",
        param="response_id",
        code=404,
    )


def _body(message: str, param: str | None = None) -> Refuse:
    return Refuse(RefusalType.INVALID_BODY, message, param)


# --- fields ----------------------------------------------------------------------------------------


def field(name: str, why: str) -> Refuse:
    """A field that may not be sent; `why` is a clause."""
    return _field(f"The field '{name[:LONGEST_ECHO]}'", name, why)


def header(name: str, why: str) -> Refuse:
    """A header that may not be sent."""
    return _field(f"The header '{name[:LONGEST_ECHO]}'", name, why)


def value(place: str, why: str, instead: str = "Remove it.") -> Refuse:
    """A documented field whose value reaches elsewhere; `instead` is a sentence."""
    return _field(f"The value of '{place[:LONGEST_ECHO]}'", place, why, instead)


def _field(what: str, name: str, why: str, instead: str = "Remove it.") -> Refuse:
    return _param(f"{what} is not allowed: {why}. {instead}", name[:LONGEST_ECHO])


def field_that_redirects(name: str) -> Refuse:
    """A field that would change the address, key or provider of an attempt."""
    return _param(f"'{name}' would change where this request goes. Remove it: the handle decides that.", name)


def _param(message: str, param: str) -> Refuse:
    return Refuse(RefusalType.PARAM_NOT_ALLOWED, message, param)


# --- the showroom ----------------------------------------------------------------------------------


def model_not_found(name: object, offered: str) -> Refuse:
    """The one answer for backroom names, names that exist nowhere, and no name. `offered` is a `listing`."""
    text = f"The model {echo(name)} does not exist or you may not use it. You may use: {offered}."
    return Refuse(RefusalType.MODEL_NOT_FOUND, text, param="model")


def search_tool_not_found(name: object, known: Iterable[str]) -> Refuse:
    """A search tool that router.yaml does not have."""
    text = f"The search tool {echo(name)} does not exist. There is: {listing(known)}."
    return Refuse(RefusalType.MODEL_NOT_FOUND, text, param="model")


def mode_not_served(name: str, mode: str, path: str, serving: Sequence[str]) -> Refuse:
    """A model of one mode on a route of another, such as an embedding model on chat completions."""
    return _param(
        f"{name} has mode {mode!r}, which {path} does not serve. {_serving(path, serving)}", param="model"
    )


def route_without_a_model(path: str, offered: Iterable[str]) -> Refuse:
    """A route on which a model must be named outside of the body."""
    text = f"{path} needs a handle: name one with ?model= or the header x-litellm-model ({listing(offered)})."
    return Refuse(RefusalType.ROUTE_NOT_ALLOWED, text, param="model")


def _serving(path: str, names: Sequence[str]) -> str:
    """Which of the caller's models a route serves, in a sentence."""
    if not names:
        return f"None of the models that you may use serves {path}."
    return f"{path} serves: {listing(names)}."


def listing(names: Iterable[str]) -> str:
    """Names in a row, the first `SHOWN` of them."""
    found = list(names)
    more = f" and {len(found) - SHOWN} more (GET /v1/models)" if len(found) > SHOWN else ""
    return (", ".join(found[:SHOWN]) or "none") + more


def echo(value: object) -> str:
    """A client's own text in quotation marks, cut; the kind of anything else."""
    text = value if isinstance(value, str) else "" if value is None else type(value).__name__
    return f"'{text[:LONGEST_ECHO]}'"


# --- OptiLLM handles -------------------------------------------------------------------------------


def approach(handle: str, reason: str) -> Refuse:
    """An approach that the handle does not allow; `reason` ends with the allowed ones."""
    return Refuse(RefusalType.APPROACH_NOT_ALLOWED, f"{handle}: {reason}.", param="optillm_approach")


def approach_in_prompt(place: str, handle: str | None = None) -> Refuse:
    """An `<optillm_approach>` tag in the text at `place`, such as `messages[0].content`."""
    where = f"{handle}: {place}" if handle else place
    text = (
        f"{where} contains an <optillm_approach> tag, which would choose the "
        "approach from within the prompt. Remove the tag from the text and use the field optillm_approach."
    )
    param = place.split("[", 1)[0].split(".", 1)[0]
    return Refuse(RefusalType.APPROACH_IN_PROMPT, text, param=param)


def fan_out_estimated(handle: str, approach: str, calls: int, most: int) -> Refuse:
    """An approach that may make more calls than `max_calls`."""
    return _fan_out(
        f"{handle}: {approach} may make {calls} calls for one request; {most} are allowed. "
        "Ask for a cheaper approach or a smaller n."
    )


def field_on_optillm(handle: str, name: str, why: str) -> Refuse:
    """A field that an OptiLLM handle cannot honour; `why` is a clause."""
    return _param(f"{handle}: {name} is not allowed: {why}. Remove it.", name)


def tool_of_a_server(handle: str, tool: str) -> Refuse:
    """A tool that a server would run: OptiLLM runs none."""
    return _param(
        f"{handle}: the tool {tool!r} would run on a server, and OptiLLM runs no tools. Remove it, use a "
        "function, or ask a handle that is not OptiLLM.",
        param="tools",
    )


def dropped_by_approach(handle: str, approach: str, name: str, taking: Sequence[str]) -> Refuse:
    """What an approach would drop, under `on_dropped: refuse`; `taking` are allowed ones that keep it."""
    instead = f"Ask for {' or '.join(taking)}" if taking else "Ask a handle that is not OptiLLM"
    return _param(f"{handle}: the approach {approach} drops {name}. {instead}, or leave {name} out.", name)


# --- the loop guard --------------------------------------------------------------------------------


def lineage_token_invalid() -> Refuse:
    """A lineage token that this gateway did not make, or that has expired."""
    return _child(
        RefusalType.PARAM_NOT_ALLOWED,
        "The lineage token in the model name is invalid or has expired. Send the model name alone.",
    )


def parent_finished() -> Refuse:
    """A child whose root has been answered, has been given up, or is unknown."""
    return _child(
        RefusalType.PARAM_NOT_ALLOWED,
        "The parent request has already finished; this call was rejected. Send no more calls for it.",
    )


def returned(path: str) -> Refuse:
    """OptiLLM asks for an OptiLLM handle; `path` is `topology.written`, which `root_keeper` looks for."""
    return _child(
        RefusalType.LOOP_DETECTED,
        f"{RETURN_TEXT} ({path}), so it would never end. Set OptiLLM's base model to an internal name that "
        "does not lead to OptiLLM.",
    )


def looped(path: str, *, to_child: bool = False) -> Refuse:
    """The client of a root that has come back to OptiLLM, or a later child of it."""
    text = (
        f"Loop detected: {path}. OptiLLM calls back a name that leads to OptiLLM again, so the request would "
        "never end. Ask the operator to let this handle's OptiLLM call back a model that is not OptiLLM."
    )
    return Refuse(RefusalType.LOOP_DETECTED, text, param="model", to_child=to_child)


def fan_out_spent(limit: int, *, to_child: bool = False) -> Refuse:
    """The client, or a later child, of a root that has made all its calls."""
    return _fan_out(
        f"This request has made the {limit} calls that its handle allows (max_calls). Ask for a cheaper "
        "approach or a smaller n.",
        to_child=to_child,
    )


def orphaned(limit: int, rest_seconds: float) -> Refuse:
    """OptiLLM has too many calls under way without a lineage token."""
    return _child(
        RefusalType.FANOUT_EXCEEDED,
        f"OptiLLM has {limit} calls under way that belong to no known request (homelab.limits.orphans). "
        "Either a model that it calls back leads to OptiLLM again through a server that this gateway does "
        "not know, or a client calls OptiLLM directly. Send nothing until they have ended: the next call is "
        f"served {rest_seconds:.0f} seconds later.",
    )


def _fan_out(message: str, *, to_child: bool = False) -> Refuse:
    return Refuse(RefusalType.FANOUT_EXCEEDED, message, param="optillm_approach", to_child=to_child)


def _child(kind: RefusalType, message: str) -> Refuse:
    return Refuse(kind, message, param="model", to_child=True)


# --- loops between gateways ------------------------------------------------------------------------


def came_back(*, to_child: bool = False) -> Refuse:
    """A request that has passed this gateway for the same group before."""
    text = (
        "Loop detected: this request has already been sent on for this model and has come back, by way of "
        "another gateway or a reverse proxy, so it would never end. Ask the operator to check where the "
        "model's api_base leads."
    )
    return Refuse(RefusalType.LOOP_DETECTED, text, param="model", to_child=to_child)


def too_many_hops(most: int, *, to_child: bool = False) -> Refuse:
    """A request that has passed too many gateways."""
    text = (
        f"Loop detected: this request would pass more than {most} models of gateways on its way. Ask the "
        "operator to check where the model's api_base leads."
    )
    return Refuse(RefusalType.LOOP_DETECTED, text, param="model", to_child=to_child)


def hops_malformed(*, to_child: bool = False) -> Refuse:
    """An `x-homelab-hop` header that is not a list of pairs."""
    text = (
        "The header 'x-homelab-hop' is not a list of gateway.group pairs separated by commas. Only gateways "
        "write it. Remove it."
    )
    return Refuse(RefusalType.INVALID_BODY, text, to_child=to_child)


def of_the_self_test() -> Refuse:
    """What `litellm-homelab selftest` refuses with; no client gets it."""
    text = (
        "The self-test refuses this request to see what LiteLLM does then. "
        "Send it again when `litellm-homelab selftest` has ended."
    )
    return Refuse(RefusalType.PARAM_NOT_ALLOWED, text)


# --- backends --------------------------------------------------------------------------------------


def quota_exceeded(
    handle: object,
    *,
    state: str,
    unit: str,
    per: str | None,
    limit: int | None,
    seconds: float,
    opens: str,
    to_child: bool = False,
) -> Refuse:
    """A quota of the provider is used up; `opens` is when it resets, in local time."""
    number = f"of {limit} {unit} " if limit else f"of {unit} "
    why = {
        "payment": "its provider asks for payment: the account's credits are used up",
        "absent": "its provider does not offer it in the free tier",
    }.get(state, f"its quota {number}per {per} is used up" if per else "its provider asks to wait")
    suffix = "tokens" if unit == "tokens" else "requests"
    headers = {f"x-ratelimit-limit-{suffix}": str(limit)} if limit else {}
    headers |= {f"x-ratelimit-remaining-{suffix}": "0", f"x-ratelimit-reset-{suffix}": written(seconds)}
    text = f"{echo(handle)} is not available until {opens}: {why}. Use another model, or try again then."
    return Refuse(
        RefusalType.QUOTA_EXCEEDED,
        text,
        to_child=to_child,
        retry_after=math.ceil(seconds),
        limits=tuple(headers.items()),
    )


def backend_busy(handle: object, waited: float, retry_after: int, *, to_child: bool = False) -> Refuse:
    """As many requests wait for the backend as may, or one has waited for as long as it may."""
    why = (
        f"no slot was free for it within {waited:.0f} s"
        if waited >= 1
        else "its queue is full: too many requests wait for it"
    )
    text = f"{echo(handle)} is busy: {why}. Use another model, or try again in {retry_after} s."
    return Refuse(RefusalType.BACKEND_BUSY, text, to_child=to_child, retry_after=retry_after)


def model_absent(handle: object, retry_after: int, *, to_child: bool = False) -> Refuse:
    """Every backend of a handle's chain is away, or does not have its model any more."""
    text = (
        f"{echo(handle)} is not available now: its server is not running, or does not have the model. "
        f"Use another model, or try again in {retry_after} s."
    )
    return Refuse(RefusalType.MODEL_ABSENT, text, to_child=to_child, retry_after=retry_after)


# --- upstreams -------------------------------------------------------------------------------------

_WAITED: Final = {
    Limit.CONNECT: "no connection after",
    Limit.FIRST_TOKEN: "no content after",
    Limit.IDLE: "no further content for",
    Limit.TOTAL: "not finished after",
}


def upstream_timeout(handle: str, reached: Iterable[Reached], *, to_child: bool = False) -> Refuse:
    """Every attempt of a request reached a limit of `homelab.timeouts`; they are named in their order."""
    said = "; ".join(f"{_WAITED[one.limit]} {one.seconds:g} s ({one.limit})" for one in reached)
    text = f"{echo(handle)} did not answer in time: {said}. Send it again later, or name another model."
    return Refuse(RefusalType.UPSTREAM_TIMEOUT, text, to_child=to_child)


def upstream_fault(handle: str, fault: AnswerFault) -> str:
    """The text about an answer that arrived in time and is none."""
    return f"The upstream of {echo(handle)} {fault.value}."


# --- the gateway's own failures --------------------------------------------------------------------


def rule_failed(rule: str) -> Refuse:
    """A rule that broke: the request is refused, apart from deliberate refusals."""
    return _policy(f"The gateway's {rule} rule failed, so the request was refused.")


def store_failed() -> Refuse:
    """The store of `homelab.state` fails, so that the request cannot be counted."""
    return _policy(
        "The gateway cannot read or write its counters (homelab.state), so the request was refused."
    )


def account_lost() -> Refuse:
    """The counters of a root are gone, so that its calls cannot be checked."""
    return _policy("The count of this request's calls was lost, so the answer was withheld.")


def _policy(what: str) -> Refuse:
    text = (
        f"{what} This is a fault of the gateway, not of the request. Ask the operator to look for the cause "
        "in the gateway's log."
    )
    return Refuse(RefusalType.POLICY_ERROR, text)
