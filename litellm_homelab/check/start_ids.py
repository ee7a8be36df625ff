"""
The ids of what the start says: its messages are texts, and each kind of text has one id.

The first pattern that is found in a message gives its id. A message that none fits has the id `setting`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litellm_homelab.check.finding import MessageId

if TYPE_CHECKING:
    from litellm_homelab.check.finding import Severity

OTHER: Final = MessageId("setting", "error", "Any other problem that the start would report.")
FALLBACK_ALIAS: Final = MessageId(
    "fallback-alias",
    "error",
    "A fallback leads to a `model_group_alias`, or from one: write the `model_name` of `model_list`.",
)
UNSET: Final = "variable-unset"
_UNKNOWN_TARGET: Final = re.compile(
    r"-> '([^']+)': not a model_name|fallbacks\[\d+\]: '([^']+)' is not a model"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of message."""

    id: str
    pattern: str
    """Compiled when it is first used: a file without problems needs none."""
    title: str
    severity: Severity = "error"


def _row(name: str, pattern: str, title: str, severity: Severity = "error") -> Row:
    return Row(name, pattern, title, severity)


ROWS: Final = (
    # --- the file itself
    _row(
        "yaml-duplicate-key",
        r"^line \d+, .*duplicate key",
        "A mapping has one key twice: YAML keeps the last.",
    ),
    _row(
        "yaml-value", r"^line \d+, .*(not a valid|a key must be)", "A value or a key that YAML cannot read."
    ),
    _row(
        "yaml-too-deep",
        r"^line \d+, .*(levels deep|alias(es)? repeat)",
        "YAML that grows or nests without end.",
    ),
    _row(
        "yaml-syntax", r"^(line \d+, .*)?not readable as YAML|^not readable", "Not YAML, or not a text file."
    ),
    _row("yaml-not-a-mapping", r"^expected a mapping at the top", "The file has no sections."),
    _row("include-unreadable", r"^include", "An included file is missing, or is not YAML."),
    # --- the shape of `homelab:`
    _row("homelab-missing", r"^homelab: missing or empty", "There is no `homelab:` section."),
    _row(
        "homelab-unknown-setting",
        r"^homelab[^ ]*: unknown setting",
        "`homelab:` has no setting of this name.",
    ),
    _row(
        "homelab-setting-missing",
        r"^homelab[^ ]*: missing; it is required",
        "A setting of `homelab:` is missing.",
    ),
    _row(
        "homelab-value",
        r"^homelab[^ ]*(\(hidden[^)]*\)[^ ]*)?: (expected |must not be empty$|a setting's name)",
        "A value of `homelab:` has another type than expected, or is out of range.",
    ),
    # --- environment variables
    _row(
        "variable-unset-key",
        r"environment variable \S+ is not set; requests",
        "A cloud's key is not in the environment: requests for its group will fail.",
        "warning",
    ),
    _row(
        UNSET,
        r"the environment variable .* is not set$",
        "A reference to a variable that is not set. Reported with `--env` only.",
    ),
    _row(
        "variable-set-too-late",
        r"LiteLLM resolves this before it sets",
        "LiteLLM resolves references before it sets `environment_variables`.",
    ),
    _row(
        "reference-in-a-list",
        r"LiteLLM does not resolve os\.environ/\S+ in a list",
        "LiteLLM resolves no references in lists of fallbacks.",
        "warning",
    ),
    _row(
        "reference-misspelt",
        r"LiteLLM does not resolve",
        "`os.environ.X`, `${X}` and the like are texts to LiteLLM: write `os.environ/X` as the whole value.",
    ),
    # --- deployments
    _row(
        "api-setting-misspelt",
        r"LiteLLM does not know .*did you mean api_",
        "A misspelt `api_base` or `api_key`: prompts would go to the provider's default address.",
    ),
    _row(
        "base-url-ignored",
        r"base_url: LiteLLM ignores it",
        "`base_url` is ignored on some routes, which would go to the provider's default address.",
    ),
    _row("base-url-differs", r"base_url: differs from api_base", "`base_url` and `api_base` differ."),
    _row(
        "api-base-missing",
        r"api_base: missing;",
        "A provider without an address of its own has none: prompts would go to api.openai.com.",
    ),
    _row(
        "api-base-empty",
        r": empty; prompts would go",
        "An empty address: the provider's default would be used.",
    ),
    _row(
        "api-base-invalid",
        r"(api_base|base_url): expected a",
        "An address that is not a URL with a scheme and a host.",
    ),
    _row("model-missing", r"litellm_params\.model: missing", "A deployment names no model."),
    _row(
        "value-not-a-string",
        r"LiteLLM would leave this deployment out: write it in quotes",
        "A value that YAML reads as a number or a date: LiteLLM leaves the deployment out.",
    ),
    _row(
        "key-of-another-server",
        r"api_key: missing, so that LiteLLM would send",
        "Without `api_key` LiteLLM sends a cloud's key from the environment to this server.",
    ),
    _row(
        "auto-router-file",
        r"auto_router_config_path: not supported",
        "A router's configuration in a file of its own cannot be checked.",
    ),
    _row(
        "rust-core",
        r"Rust core asks no Python hook",
        "LiteLLM's Rust core asks no Python hook: no rule of this package would hold.",
    ),
    _row("modes-differ", r"differ in model_info\.mode", "The deployments of one group have different modes."),
    _row("mode-unknown", r"unknown model_info\.mode", "An unknown mode counts as chat.", "warning"),
    _row(
        "model-list-empty", r"^model_list: missing or empty", "`model_list` is missing or empty.", "warning"
    ),
    _row(
        "responses-on-a-chat-server",
        r"LiteLLM sends /v1/responses to the same path",
        "LiteLLM asks these local servers for `/v1/responses`, which few of them have.",
        "warning",
    ),
    # --- fallbacks
    _row(
        "fallback-to-backroom",
        r"leads to a backroom model",
        "A fallback leads to a group that is in no list of the showroom.",
    ),
    _row(
        "fallback-unknown", r"-> .*: not a model_name of", "A fallback leads to a group that does not exist."
    ),
    _row(
        "fallback-source-unknown",
        r"^(router|litellm)_settings\.\w+\[\d+\]: .* is not a model_name",
        "Fallbacks of a group that does not exist.",
    ),
    _row(
        "policy-not-a-mapping",
        r"polic\w+(\.[^:]+)?: expected a mapping",
        "A retry policy or a policy of allowed failures that is not a mapping.",
    ),
    _row(
        "policy-name-ignored",
        r"LiteLLM ignores this name",
        "LiteLLM ignores names of a policy that it does not know: `Timeout` is not `TimeoutErrorRetries`.",
        "warning",
    ),
    # --- backends, wake, timeouts, quotas
    _row(
        "backend-address",
        r"^homelab\.backends.*is not an address such as",
        "A backend's address is not a URL.",
    ),
    _row(
        "backend-without-deployments",
        r"no deployment of model_list is at",
        "No deployment is at this address.",
    ),
    _row(
        "backend-overlap", r"overlaps with|belong to .* by their address", "A deployment would belong to two."
    ),
    _row("backend-incomplete", r"needs either at \(addresses\)", "A backend has addresses, or groups."),
    _row(
        "backend-group-unknown",
        r"^homelab\.backends.*is not a model_name",
        "A backend's group does not exist.",
    ),
    _row(
        "backend-queue-without-slots", r"has no effect without slots", "A queue without slots has no effect."
    ),
    _row(
        "backend-waits-for-itself", r"the slot that their own", "OptiLLM's calls would wait for themselves."
    ),
    _row(
        "wake-incomplete",
        r"wake needs |exactly one of mac|magic packet goes",
        "A wake has one of its three ways.",
    ),
    _row("wake-unused", r"wake: (acts only with|a cloud is never)", "A wake that would never be sent."),
    _row("priority-unknown", r"^homelab\.priorities", "A priority of a name that is not shown."),
    _row(
        "keep-alive-unknown",
        r"^homelab\.keep_alive: .*is not a name",
        "A keep_alive of a name that is not shown.",
    ),
    _row(
        "keep-alive-ignored",
        r"^homelab\.keep_alive: .*takes no keep_alive",
        "A keep_alive of a handle that no Ollama serves.",
    ),
    _row("quota-group-twice", r"^homelab\.quotas.*duplicate name", "A quota names a group twice."),
    _row("quota-group-unknown", r"^homelab\.quotas.*is not a model_name", "A quota's group does not exist."),
    _row("quota-preset-ended", r"this free tier ended", "The preset's free tier has ended.", "warning"),
    _row("quota-preset-unknown", r"unknown preset", "A preset that does not exist."),
    _row(
        "quota-shared", r"are for each model by itself", "Groups share limits that are per model.", "warning"
    ),
    _row("quota-incomplete", r"needs (windows, or a preset|either requests)", "A quota without a limit."),
    _row("quota-window-twice", r"there is a window of this unit", "Two windows of one unit and length."),
    _row(
        "quota-zone",
        r"is not an IANA time zone|window .*has none; remove it",
        "A zone or reset that cannot be.",
    ),
    _row(
        "timeout-bypassed",
        r"^homelab\.timeouts.*no limit acts on calls",
        "A limit does not act on some calls.",
        "warning",
    ),
    _row("timeout-never-reached", r"is never reached, since total", "A limit above `total`.", "warning"),
    _row("timeout-empty", r"^homelab\.timeouts.*sets no limit", "An entry without a limit."),
    _row(
        "timeout-group-unknown",
        r"^homelab\.timeouts.*is not a model_name",
        "A timeout's group does not exist.",
    ),
    # --- loading
    _row(
        "plugin-missing",
        r"litellm_homelab\.plugin is missing",
        "The plugin is not in `callbacks`: no rule applies.",
    ),
    _row("gate-missing", r"custom_auth: must be litellm_homelab\.gate", "Callers' keys need the gate."),
    _row("entry-point-old", r"no longer (an )?entry points?", "An entry point of an earlier version."),
    _row(
        "plugin-misplaced",
        r"decides nothing here; move it to `callbacks`",
        "LiteLLM calls no deciding hook of a callback in this list.",
    ),
    # --- the showroom
    _row("handle-name-twice", r"duplicate name", "A name is in two places of the showroom, or twice in one."),
    _row(
        "handle-name-invalid", r"is not a valid name", "A handle with a character that clients cannot send."
    ),
    _row(
        "handle-canonical-id",
        r"starts with mlx- but",
        "A name that begins with `mlx-` is not a canonical id.",
    ),
    _row("handle-wildcard", r"is a wildcard group", "A wildcard group is never a handle itself."),
    _row("handle-alias", r"is a model_group_alias; make it", "A `model_group_alias` is never a handle."),
    _row(
        "handle-of-the-database",
        r"is served once a model of",
        "A handle that only the database may have.",
        "warning",
    ),
    _row(
        "handle-outside-roots",
        r"is backroom: the files of its model",
        "A handle's model lies outside `roots`.",
    ),
    _row("handles-file-unreadable", r"handles_file: .*: not readable", "The handles file cannot be read."),
    _row("handles-file-entry", r"handles_file: ", "A line of the handles file is wrong."),
    _row("registry-unreadable", r"registry: [^:]*: not (readable|JSON)", "The registry cannot be read."),
    _row("registry-entry", r"showroom\.registry: ", "The registry, or an entry of it, has another shape."),
    _row(
        "registry-without-roots", r"showroom\.roots: missing", "A registry without `roots` decides nothing."
    ),
    _row(
        "handle-unknown",
        r"^homelab\.showroom\S*: .* is not a model_name of",
        "A name of the showroom is not a `model_name`.",
    ),
    # --- callers, routes, fields
    _row("caller-key-twice", r"the same key as", "Two callers have one key."),
    _row(
        "key-placeholder",
        r"the placeholder of env\.example",
        "A key is still the placeholder of env.example.",
    ),
    _row("caller-handle-internal", r"is internal, (so|which)", "A caller's list names an internal model."),
    _row(
        "caller-handle-unknown", r"^homelab\.callers.*is neither a handle", "A caller's list names no handle."
    ),
    _row(
        "caller-route",
        r"^homelab\.callers\.\S+\.routes",
        "A caller's route does not exist, or is closed to it.",
    ),
    _row("page-without-secret", r"^homelab\.page: sessions", "The page has nothing to sign sessions with."),
    _row("page-without-key", r"^homelab\.page: no key", "No key could log in to the page."),
    _row(
        "widgets-key-unused",
        r"a key of role widgets reads only \S+ which is served",
        "A key of role `widgets` reads what is not served.",
        "warning",
    ),
    _row("gate-open", r"^homelab\.gate\.open", "A route that cannot be opened, or that need not be."),
    _row(
        "gate-ui-without-database", r"^homelab\.gate\.ui", "LiteLLM's Admin UI needs a database.", "warning"
    ),
    _row(
        "field-cannot-pass",
        r"it can only be 'drop'",
        "A request field that would reach elsewhere cannot pass.",
    ),
    _row(
        "field-decided-elsewhere",
        r"homelab\.showroom decides on it",
        "A field on which another rule decides.",
    ),
    # --- OptiLLM and state
    _row(
        "optillm-not-a-handle",
        r"^homelab\.optillm.*is neither a handle",
        "A name below `homelab.optillm` is not a handle.",
    ),
    _row(
        "optillm-approach",
        r"approaches\[\d+\]: (unknown approach|approach '|.*is a combination)",
        "An approach that OptiLLM does not know, or a combination in the place of its parts.",
    ),
    _row(
        "optillm-default", r"default: .* is not among the approaches", "The default approach is not allowed."
    ),
    _row(
        "optillm-loop", r"a request would loop forever", "OptiLLM calls back a group that leads to OptiLLM."
    ),
    _row(
        "optillm-name-eaten",
        r"^homelab\.showroom: .* starts with an approach",
        "OptiLLM takes an approach off the front of a name when it calls back.",
    ),
    _row(
        "optillm-model-eaten",
        r"litellm_params\.model .* starts with an approach",
        "OptiLLM takes an approach off the front of this model's name.",
    ),
    _row(
        "optillm-approach-in-deployment",
        r"is not used: the approach is this",
        "The approach belongs into `homelab.optillm`, not into the deployment.",
    ),
    _row(
        "optillm-approach-dropped", r"would drop every approach", "The deployment drops `optillm_approach`."
    ),
    _row(
        "optillm-without-a-caller",
        r"^homelab\.callers: OptiLLM calls",
        "OptiLLM has no key to call back with.",
    ),
    _row("secret-missing", r"^homelab\.secret: missing", "There is nothing to sign lineage with."),
    _row(
        "state-per-worker", r"memory:// is separate in each worker", "Workers would not share their counters."
    ),
    _row("state-invalid", r"^homelab\.state: ", "`homelab.state` does not name a supported store."),
    # --- advisories
    _row(
        "advisory-unknown", r"unknown advisory", "`accept_advisories` names an advisory that does not exist."
    ),
    _row(
        "advisory-approach", r"\(not fixed in any version\)", "An approach with a published hole.", "warning"
    ),
    _row(
        "advisory-exploited",
        r"^LiteLLM \S+ has a hole that is known",
        "This LiteLLM has a hole that is used.",
    ),
    _row(
        "advisory-version",
        r"cannot be compared with published",
        "LiteLLM's version is not a number.",
        "warning",
    ),
    _row("advisory", r"^LiteLLM \S+(:| has a known)", "This LiteLLM has a published hole.", "warning"),
    # --- LiteLLM's settings that our promises rest on
    _row(
        "metrics-not-open",
        r"require_auth_for_metrics_endpoint: false",
        "/metrics asks for a key anyway.",
        "warning",
    ),
    _row(
        "cache-over-optillm", r"LiteLLM's cache does not know approaches", "A cache over OptiLLM.", "warning"
    ),
    _row(
        "alias-not-callable",
        r"^router_settings\.model_group_alias",
        "Clients cannot call an alias.",
        "warning",
    ),
    _row(
        "setting-recommended",
        r": not set to (true|false);",
        "A setting of LiteLLM that belongs here.",
        "warning",
    ),
)
"""Every kind of message of the start, the more special one first."""


def message_ids() -> tuple[MessageId, ...]:
    """Every id of the start's messages."""
    rows = (MessageId(one.id, one.severity, one.title) for one in ROWS)
    return (*rows, FALLBACK_ALIAS, OTHER)


def id_of(message: str, aliases: Mapping[str, str]) -> str:
    """The id of a message of the start; `aliases` are the file's `model_group_alias`."""
    found = _UNKNOWN_TARGET.search(message)
    if found is not None and (found[1] or found[2]) in aliases:
        return FALLBACK_ALIAS.id
    return next((one.id for one in ROWS if re.search(one.pattern, message)), OTHER.id)
