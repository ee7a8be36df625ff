"""Everything that the self-test tries, in order."""

from __future__ import annotations

from typing import Final

from litellm_homelab.testing.selftest import answers, attempts, loops
from litellm_homelab.testing.selftest.check import Check

CHECKS: Final = (
    Check(
        "the plugin is loaded once",
        "rules are not asked, or count everything twice",
        answers.plugin_runs_once,
    ),
    Check(
        "pre-call and attempt hooks run on every route of models",
        "a route is served past the rules",
        attempts.hook_on_every_route,
    ),
    Check("keys are checked by the gate", "every caller is served, or none", answers.keys_are_checked),
    Check("listings show handles only", "clients see names that are hidden", answers.listing_is_the_showroom),
    Check(
        "names that are not handles are one 404",
        "clients reach hidden and internal deployments",
        answers.hidden_names_are_not_called,
    ),
    Check("a name in the path is judged", "clients reach hidden deployments", answers.path_is_the_name),
    Check("routes that no rule sees are closed", "clients reach them", answers.routes_are_closed),
    Check(
        "fields that steer LiteLLM are refused",
        "clients choose address, model or fallbacks",
        answers.fields_are_refused,
    ),
    Check(
        "undocumented fields are not sent to a backend",
        "clients reach switches of LiteLLM and of servers",
        answers.unknown_fields_do_not_leave,
    ),
    Check(
        "a refusal gives one attempt and no fallback",
        "refused requests are served by a fallback",
        attempts.refusal_is_final,
    ),
    Check(
        "a refusal puts no deployment into cooldown",
        "one client's mistakes take a deployment from the others",
        attempts.refusal_rests_nothing,
    ),
    Check(
        "after a skipped deployment the chain continues",
        "requests fail where a fallback could serve them",
        attempts.skip_goes_on,
    ),
    Check(
        "the attempt hook runs on fallbacks",
        "fallbacks are served past the rules",
        attempts.hook_on_every_fallback,
    ),
    Check(
        "the wire hook sees what is sent",
        "what leaves for OptiLLM is not checked",
        attempts.wire_hook_sees_the_body,
    ),
    Check(
        "the transport refuses another address",
        "nothing stops a request that is sent elsewhere",
        attempts.transport_is_the_last_line,
    ),
    Check(
        "failure hooks change the client's error",
        "errors name upstreams and addresses",
        attempts.failure_hook_changes_the_error,
    ),
    Check(
        "answers name the handle, after a failover too",
        "answers name the upstream",
        answers.answer_keeps_the_handle,
    ),
    Check("streams name the handle", "chunks name the upstream", answers.stream_keeps_the_handle),
    Check(
        "approaches must be listed, and prompts choose none",
        "clients choose OptiLLM's approach",
        loops.approaches_are_listed,
    ),
    Check(
        "OptiLLM's call back is known by its token",
        "calls back are not counted, or not served",
        loops.token_travels,
    ),
    Check(
        "a call back that re-enters is refused: 400 to OptiLLM, 508 to the client",
        "one request goes round for ever",
        loops.reentry_is_refused,
    ),
)
