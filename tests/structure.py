"""The layout that tests/test_structure.py enforces: names of folders, and exceptions with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ADAPTER: Final = "hooks"
"""The folder that knows LiteLLM."""
KNOWS_LITELLM: Final = (ADAPTER, "guardrails.py", "request.py", "testing")
"""Where LiteLLM may be imported: the guardrail is a class of LiteLLM's, MockProxy runs LiteLLM."""
USES_THE_ADAPTER: Final = (*KNOWS_LITELLM, "__init__.py")
"""The package itself makes its entry points there when LiteLLM asks for them."""

KEYS_OF_LITELLM: Final = frozenset(
    {"proxy_server_request", "litellm_call_id", "litellm_logging_obj", "litellm_metadata", "secret_fields"}
    | {"standard_logging_object", "litellm_parent_otel_span", "user_api_key_dict", "user_api_key"}
    | {"user_api_key_hash", "user_api_key_alias", "specific_deployment", "deployment_model_name"}
)
"""Keys that LiteLLM 1.106.2 adds to a request; no client and no router.yaml writes one of them."""

SHARED_CLASS_NAMES: Final = (
    "Answers",
    "Caller",
    "Child",
    "Deployment",
    "Entry",
    "Fields",
    "Gate",
    "Known",
    "Problem",
    "Root",
    "Route",
    "Showroom",
)
"""Names with two meanings that are still to be told apart; nothing is added here."""

TESTED_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "hooks/test_callers.py": ("adapter/middleware/authentication.py",),
    # What the outer middleware is made of: seen by what a client gets.
    "hooks/test_edge.py": (
        "adapter/middleware/asgi.py",
        "adapter/middleware/cors.py",
        "adapter/middleware/request_end.py",
        "adapter/middleware/response_recorder.py",
    ),
    "hooks/test_answer_filter.py": (
        "adapter/middleware/answer_events.py",
        "adapter/middleware/answer_whole.py",
    ),
    "hooks/test_body.py": (
        "adapter/middleware/drain.py",
        "adapter/middleware/forms.py",
    ),
    "hooks/test_counting.py": ("adapter/middleware/other_paths.py",),
    "hooks/test_naming.py": (
        "adapter/policies/request_opening.py",
        "adapter/policies/showroom.py",
    ),
    "hooks/test_routes.py": ("adapter/middleware/route_access.py",),
    "real/test_limits.py": ("adapter/middleware/websockets.py",),
    "hooks/test_stripping.py": ("adapter/middleware/dropped_fields.py",),
    # Around LiteLLM's router and its clients.
    "hooks/test_transport.py": (
        "adapter/litellm_api/last_line.py",
        "adapter/litellm_api/targets.py",
        "adapter/policies/purposes.py",
    ),
    "hooks/test_client_error.py": (
        "adapter/litellm_api/exceptions.py",
        "adapter/litellm_api/scrubbing.py",
        "adapter/policies/error_response.py",
    ),
    "hooks/test_every_parameter.py": ("adapter/litellm_api/parameters.py",),
    "hooks/test_wildcards.py": ("wildcards.py",),
    "hooks/test_late_models.py": ("adapter/litellm_api/deployments.py",),
    "hooks/test_fields.py": (
        "adapter/policies/fields.py",
        "adapter/litellm_api/request_body.py",
    ),
    "hooks/test_store_named.py": ("adapter/log_limits.py",),
    # A request to an OptiLLM handle, from its opening to its bill.
    "hooks/test_loop_guard.py": (
        "adapter/policies/loop_guard.py",
        "adapter/context.py",
        "adapter/outcome.py",
        "adapter/policies/admission.py",
        "adapter/policies/lineage_token.py",
        "adapter/policies/root_answers.py",
        "adapter/policies/roots.py",
    ),
    "hooks/test_approach.py": (
        "adapter/policies/approach.py",
        "adapter/policies/optillm_fields.py",
    ),
    "hooks/test_metrics.py": (
        "adapter/policies/metrics.py",
        "adapter/policies/request_stats.py",
        "adapter/stats.py",
        "metric_labels.py",
    ),
    "hooks/test_mistakes.py": ("adapter/wiring.py",),
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
    "gate/test_keys.py": ("access/openings.py",),
    # Settings: golden cases, a router.yaml each with what the start says of it.
    "test_settings.py": (
        "address_checks.py",
        "deployments.py",
        "checks.py",
        "findings.py",
        "includes.py",
        "key_checks.py",
        "key_variables.py",
        "leads.py",
        "loading.py",
        "promises.py",
        "references.py",
        "sections.py",
        "shape.py",
        "text_file.py",
        "wording.py",
        "fields/checks.py",
        "optillm/checks.py",
        "showroom/handles.py",
        "showroom/registry.py",
    ),
    "state/test_errors.py": ("state/redis_errors.py", "state/sqlite_errors.py"),
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
}
"""Modules without a test file of their name: which test exercises them (below tests/)."""
