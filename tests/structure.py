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
    "hooks/test_callers.py": ("hooks/gate_auth.py",),
    # What the outer middleware is made of: seen by what a client gets.
    "hooks/test_edge.py": (
        "hooks/messages.py",
        "hooks/cors.py",
        "hooks/ending.py",
        "hooks/watch.py",
    ),
    "hooks/test_answer_filter.py": (
        "hooks/answer_events.py",
        "hooks/answer_whole.py",
    ),
    "hooks/test_body.py": (
        "hooks/linger.py",
        "hooks/forms.py",
    ),
    "hooks/test_counting.py": ("hooks/other_paths.py",),
    "hooks/test_naming.py": (
        "hooks/opening.py",
        "hooks/showroom_callback.py",
    ),
    "hooks/test_routes.py": ("hooks/door.py",),
    "real/test_limits.py": ("hooks/sockets.py",),
    "hooks/test_stripping.py": ("hooks/dropped.py",),
    # Around LiteLLM's router and its clients.
    "hooks/test_transport.py": (
        "hooks/last_line.py",
        "hooks/targets.py",
        "hooks/purposes.py",
    ),
    "hooks/test_client_error.py": (
        "hooks/refusal.py",
        "hooks/scrubbing.py",
        "hooks/closing.py",
    ),
    "hooks/test_every_parameter.py": ("hooks/litellm_params.py",),
    "hooks/test_wildcards.py": ("wildcards.py",),
    "hooks/test_late_models.py": ("hooks/deployments.py",),
    "hooks/test_fields.py": (
        "hooks/request_fields.py",
        "hooks/sent.py",
    ),
    "hooks/test_store_named.py": ("hooks/repeats.py",),
    # A request to an OptiLLM handle, from its opening to its bill.
    "hooks/test_loop_guard.py": (
        "hooks/loop_callback.py",
        "hooks/context.py",
        "hooks/outcome.py",
        "hooks/lineage_guard.py",
        "hooks/wire_mark.py",
        "hooks/answers.py",
        "hooks/root_keeper.py",
    ),
    "hooks/test_approach.py": (
        "hooks/approach_callback.py",
        "hooks/attempt.py",
    ),
    "hooks/test_metrics.py": (
        "hooks/metrics_callback.py",
        "hooks/count.py",
        "hooks/tally.py",
        "metric_labels.py",
    ),
    "hooks/test_mistakes.py": ("hooks/parts.py",),
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
    "gate/test_keys.py": ("gate/openings.py",),
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
