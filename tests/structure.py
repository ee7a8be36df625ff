"""The layout that tests/test_structure.py enforces: names of folders, and exceptions with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ADAPTER: Final = "adapter"
"""The folder that knows LiteLLM."""
KNOWS_LITELLM: Final = (ADAPTER, "guardrails.py", "testing")
"""Where LiteLLM may be imported: the guardrail is a class of LiteLLM's, MockProxy runs LiteLLM."""
USES_THE_ADAPTER: Final = (*KNOWS_LITELLM, "__init__.py", "policies.py")
"""The package makes its entry points there when LiteLLM asks for them; the registry names the policies."""

IMPORTS_BY_NAME: Final = ("__init__.py", "policies.py", "demo/__init__.py", "cli/__init__.py")
"""Where modules are imported by a name that is put together: entry points, the registry, the demo's own,
the commands."""

KEYS_OF_LITELLM: Final = frozenset(
    {"proxy_server_request", "litellm_call_id", "litellm_logging_obj", "litellm_metadata", "secret_fields"}
    | {"standard_logging_object", "litellm_parent_otel_span", "user_api_key_dict", "user_api_key"}
    | {"user_api_key_hash", "user_api_key_alias", "user_api_key_user_id", "user_api_key_team_id"}
    | {"specific_deployment", "deployment_model_name", "model_group", "model_call_details", "_hidden_params"}
    | {"additional_args", "complete_input_dict", "async_complete_streaming_response"}
)
"""Keys that LiteLLM adds to its dicts (1.106.2 to 1.110.2); no client and no router.yaml needs one."""

NAMES_A_KEY: Final[Mapping[str, frozenset[str]]] = {
    "fields/metadata.py": frozenset({"litellm_metadata"}),
    "fields/checks.py": frozenset({"litellm_metadata"}),
}
"""Modules outside of the adapter that name such a key: clients send it, and the fields rule judges it."""

SHARED_CLASS_NAMES: Final[tuple[str, ...]] = ()
"""Names with two meanings: none."""

TESTED_IN: Final[Mapping[str, tuple[str, ...]]] = {
    # What the outer middleware is made of: seen by what a client gets.
    "adapter/middleware/test_outer.py": (
        "adapter/middleware/asgi.py",
        "adapter/middleware/cors.py",
        "adapter/middleware/request_end.py",
        "adapter/middleware/response_recorder.py",
    ),
    "adapter/middleware/test_answer_filter.py": (
        "adapter/middleware/answer_events.py",
        "adapter/middleware/answer_whole.py",
    ),
    "adapter/middleware/test_body.py": (
        "adapter/middleware/drain.py",
        "adapter/middleware/forms.py",
    ),
    "adapter/middleware/test_page.py": ("adapter/page/requests.py", "adapter/page/sources.py"),
    "test_policies.py": ("adapter/policy.py",),
    "sync/test_decisions.py": (
        "sync/ensembles.py",
        "sync/facts.py",
        "sync/models.py",
        "sync/plan.py",
        "sync/reading.py",
    ),
    "sync/test_properties.py": ("sync/shapes.py",),
    "verify/test_judgements.py": (
        "verify/access.py",
        "verify/check.py",
        "verify/gateway.py",
        "verify/names.py",
        "verify/optillm_handles.py",
        "verify/optillm_server.py",
        "verify/plain_handles.py",
        "verify/reading.py",
        "verify/search.py",
    ),
    "probe/test_run.py": (
        "probe/findings.py",
        "probe/parameters.py",
        "probe/sampling.py",
        "probe/shapes.py",
    ),
    "cli/test_sync.py": ("cli/editing.py",),
    "config/test_entry_points.py": ("hooks.py",),
    "adapter/middleware/test_token_counts.py": ("adapter/middleware/other_paths.py",),
    "adapter/test_naming.py": (
        "adapter/middleware/model_names.py",
        "adapter/policies/request_opening.py",
        "adapter/policies/showroom.py",
    ),
    "real/test_limits.py": ("adapter/middleware/websockets.py",),
    "adapter/test_stripping.py": ("adapter/middleware/dropped_fields.py",),
    # Around LiteLLM's router and its clients.
    "adapter/policies/test_timeouts.py": (
        "adapter/litellm_api/timed_attempt.py",
        "adapter/litellm_api/attempt_clock.py",
        "adapter/litellm_api/attempt_limits.py",
        "adapter/litellm_api/limited_stream.py",
        "adapter/litellm_api/no_retry.py",
        "adapter/litellm_api/whole_answer.py",
    ),
    "timeouts/test_reading.py": ("timeouts/answer.py", "timeouts/faults.py"),
    "timeouts/test_rule.py": ("timeouts/groups.py",),
    "adapter/litellm_api/test_transport.py": (
        "adapter/litellm_api/last_line.py",
        "adapter/litellm_api/targets.py",
        "adapter/litellm_api/purposes.py",
    ),
    "adapter/litellm_api/test_client_error.py": (
        "adapter/litellm_api/exceptions.py",
        "adapter/litellm_api/scrubbing.py",
    ),
    "adapter/policies/test_hops.py": ("adapter/litellm_api/hop_header.py",),
    "adapter/test_every_parameter.py": ("adapter/litellm_api/parameters.py",),
    "adapter/litellm_api/test_headers_read.py": ("adapter/litellm_api/unreviewed.py",),
    "adapter/test_wildcards.py": ("config/wildcards.py",),
    "adapter/test_late_models.py": (
        "adapter/litellm_api/deployments.py",
        "adapter/litellm_api/router_members.py",
    ),
    "adapter/policies/test_fields.py": ("adapter/litellm_api/request_body.py",),
    "adapter/test_store_named.py": ("adapter/log_limits.py",),
    # A request to an OptiLLM handle, from its opening to its bill.
    "adapter/policies/test_loop_guard.py": (
        "adapter/context.py",
        "adapter/optillm/admission.py",
        "adapter/optillm/lineage_token.py",
        "adapter/optillm/root_answers.py",
        "adapter/optillm/roots.py",
    ),
    "adapter/policies/test_approach.py": ("adapter/optillm/optillm_fields.py",),
    "adapter/policies/test_metrics.py": (
        "adapter/policies/request_stats.py",
        "adapter/stats.py",
        "metrics/labels.py",
    ),
    "adapter/test_mistakes.py": ("adapter/wiring.py",),
    # Data: tables that one rule reads, tested through it.
    "answers/test_error_format.py": ("answers/errors.py",),
    "answers/test_fields.py": (
        "answers/listed.py",
        "answers/openai_fields.py",
        "answers/other_fields.py",
        "answers/routes.py",
        "answers/shapes.py",
    ),
    "answers/test_redaction.py": (
        "answers/error_words.py",
        "answers/patterns.py",
        "answers/provider_names.py",
    ),
    "answers/test_leaks.py": ("answers/headers.py", "answers/rewriting.py"),
    "attempts/test_target.py": ("attempts/endpoints.py",),
    "fields/test_rule.py": ("fields/bodies.py", "fields/lists.py", "fields/metadata.py"),
    "fields/test_values.py": ("fields/addresses.py",),
    "showroom/test_rule.py": ("showroom/modes.py",),
    "access/test_keys.py": ("access/openings.py",),
    # Settings: golden cases, a router.yaml each with what the start says of it.
    "showroom/test_discovery.py": ("adapter/backends/discovered.py",),
    "config/test_settings.py": (
        "showroom/discover_checks.py",
        "config/address_checks.py",
        "timeouts/checks.py",
        "config/deployments.py",
        "config/file_checks.py",
        "config/findings.py",
        "config/includes.py",
        "config/key_checks.py",
        "config/key_variables.py",
        "config/leads.py",
        "config/loading.py",
        "config/promises.py",
        "config/references.py",
        "config/sections.py",
        "config/shape.py",
        "config/text_file.py",
        "config/wording.py",
        "backends/checks.py",
        "fields/checks.py",
        "quotas/checks.py",
        "optillm/checks.py",
        "page/checks.py",
        "showroom/handles.py",
        "showroom/registry.py",
    ),
    "config/test_schema.py": ("cli/schema.py",),
    "mcp_server/test_reading.py": ("mcp_server/faults.py", "mcp_server/trust.py"),
    # The check: a router.yaml for each message, with what must be found in it.
    "check/test_cases.py": (
        "check/deployments.py",
        "check/document.py",
        "check/env_file.py",
        "check/fallbacks.py",
        "check/finding.py",
        "check/limits.py",
        "check/optillm_file.py",
        "check/ours.py",
        "check/providers.py",
        "check/references.py",
        "check/registry.py",
        "check/sections.py",
        "check/settings.py",
        "check/start_ids.py",
    ),
    "state/test_errors.py": ("state/redis_errors.py", "state/sqlite_errors.py"),
    "quotas/test_learning.py": ("quotas/headers.py", "quotas/observations.py"),
    "state/test_pools.py": ("state/redis_pools.py",),
    "adapter/policies/test_queue.py": ("adapter/policies/ranks.py",),
    # The command line and the demo: seen from outside, as programs and servers.
    "cli/test_up.py": ("cli/make.py",),
    "demo/test_server.py": ("cli/demo.py", "demo/listener.py", "demo/thread.py"),
    "demo/test_backend.py": (
        "demo/chat.py",
        "demo/completions.py",
        "demo/embeddings.py",
        "demo/guard.py",
        "demo/request_body.py",
    ),
    "demo/test_answers.py": ("demo/schema.py", "demo/sums.py"),
    "demo/test_optillm.py": (
        "demo/optillm/app.py",
        "demo/optillm/searches.py",
        "demo/optillm/shapes.py",
        "demo/optillm/techniques.py",
        "demo/optillm/upstream.py",
    ),
    # MockProxy is what most tests of the adapter run on; this one compares it with a real process.
    "real/test_naming.py": (
        "testing/answer.py",
        "testing/isolation.py",
        "testing/media.py",
        "testing/mock_proxy.py",
        "testing/stand_ins.py",
        "testing/upstream.py",
    ),
    "testing/test_selftest.py": (
        "testing/selftest/answers.py",
        "testing/selftest/attempts.py",
        "testing/selftest/check.py",
        "testing/selftest/checks.py",
        "testing/selftest/gateway.py",
        "testing/selftest/loops.py",
        "testing/selftest/run.py",
    ),
}
"""Modules without a test file of their name: which test exercises them (below tests/)."""
