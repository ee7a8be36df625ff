"""Traps in `model_list`: what LiteLLM leaves out, ignores or sends on without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.check.names import SLIP
from litellm_homelab.check.values import is_number
from litellm_homelab.config.address_checks import TEXTS, misspelt
from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wording import closest, looks_like_a_key, quoted, shown

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document, ModelEntry

ENTRY: Final = ("model_name", "litellm_params", "model_info")
USUAL: Final = (
    *(
        "model",
        "timeout",
        "stream_timeout",
        "num_retries",
        "max_retries",
        "rpm",
        "tpm",
        "custom_llm_provider",
    ),
    *("max_parallel_requests", "additional_drop_params", "allowed_openai_params", "use_chat_completions_api"),
    *(
        "litellm_credential_name",
        "extra_headers",
        "extra_body",
        "api_version",
        "cooldown_time",
        "drop_params",
    ),
    *("weight", "response_format", "frequency_penalty", "presence_penalty", "max_completion_tokens"),
    *("merge_reasoning_content_in_choices", "vertex_project", "vertex_location", "vertex_credentials"),
    *("aws_region_name", "aws_access_key_id", "aws_secret_access_key", "configurable_clientside_auth_params"),
    *("organization", "region_name", "keepalive_seconds", "input_cost_per_token", "output_cost_per_token"),
    *("max_tokens", "temperature", "reasoning_effort", "mock_response", "max_budget", "budget_duration"),
)
"""Parameters of a deployment that a misspelt one may have been; `api_base` and `api_key` the start knows."""
BELOW: Final = (
    *("model", "api_base", "api_key", "base_url", "timeout", "stream_timeout", "num_retries", "max_retries"),
    *("custom_llm_provider", "additional_drop_params", "allowed_openai_params", "use_chat_completions_api"),
    *("extra_headers", "extra_body", "api_version", "cooldown_time", "litellm_credential_name"),
    "max_parallel_requests",
)
"""Parameters that LiteLLM reads below `litellm_params` only (1.108.7)."""
INFO: Final = (
    "mode",
    "max_input_tokens",
    "supports_vision",
    "supports_function_calling",
    "supports_reasoning",
)
"""What belongs into `model_info`; below `litellm_params` it does nothing there, or is sent to the server."""
TIMEOUTS: Final = ("timeout", "stream_timeout")
NOT_SECRET: Final = (ENV_PREFIX, "sk-no", "sk-dummy", "sk-1234", "sk-generate")
"""Beginnings of values that are not keys, or are reported as what they are."""


@check(
    "litellm-entry-incomplete", "error", "An entry of `model_list` without `model_name` or `litellm_params`."
)
def incomplete(doc: Document) -> Iterator[Found]:
    """LiteLLM does not start with such an entry (`set_model_list`, 1.108.7)."""
    for one in doc.entries:
        for name in ("model_name", "litellm_params"):
            if name not in one.entry:
                right = slip_among((name,), one)
                yield one.where, f"{name} is missing; LiteLLM does not start without it{right}"
            elif name == "litellm_params" and not isinstance(one.entry[name], dict):
                yield f"{one.where}.{name}", f"expected a mapping, got {shown(one.entry[name])}"


def slip_among(names: tuple[str, ...], one: ModelEntry) -> str:
    """`; did you mean ...` where a key of an entry is close to one of these names."""
    found = [
        key for key in one.entry if isinstance(key, str) and key not in ENTRY and closest(key, names, SLIP)
    ]
    return f"; {quoted(found[0])} is close to it" if found else ""


@check("litellm-entry-name", "error", "A `model_name` that YAML does not read as a text.")
def entry_name(doc: Document) -> Iterator[Found]:
    """`model_name: on` is true and `model_name: 3.5` a number: LiteLLM leaves the entry out (1.108.7)."""
    for one in doc.entries:
        name = one.entry.get("model_name", "")
        if not isinstance(name, str):
            yield f"{one.where}.model_name", f"expected a string, got {shown(name)}; write it in quotes"


@check(
    "litellm-param-misplaced", "warning", "A parameter beside `litellm_params` that LiteLLM reads below it."
)
def misplaced_param(doc: Document) -> Iterator[Found]:
    """Keys of the entry itself that LiteLLM reads elsewhere."""
    for one in doc.entries:
        for key in one.entry:
            if key in BELOW:
                yield f"{one.where}.{key}", f"LiteLLM ignores it here; move {key} below litellm_params"
            elif key in INFO:
                yield f"{one.where}.{key}", f"LiteLLM ignores it here; move {key} below model_info"


@check("litellm-info-misplaced", "warning", "A setting of `model_info` below `litellm_params`.")
def misplaced_info(doc: Document) -> Iterator[Found]:
    """`mode` and its like below `litellm_params`."""
    for one in doc.entries:
        for key in INFO:
            if key in one.params:
                yield (
                    f"{one.where}.litellm_params.{key}",
                    f"LiteLLM does not read {key} here; move it below model_info",
                )


@check("litellm-no-such-timeout", "warning", "`ttft_timeout` and `stream_idle_timeout` do nothing.")
def no_such_timeout(doc: Document) -> Iterator[Found]:
    """They are in LiteLLM's documentation and in no code of 1.106.0 to 1.110.2."""
    for name in ("ttft_timeout", "stream_idle_timeout"):
        for one in doc.entries:
            if name in one.params:
                yield (
                    f"{one.where}.litellm_params.{name}",
                    (
                        "LiteLLM has no such setting and sends it to the server as a field of every request; "
                        "set stream_timeout, which bounds the silence before and between chunks"
                    ),
                )
        for section in ("router_settings", "litellm_settings", "general_settings"):
            if name in doc.section(section):
                yield (
                    f"{section}.{name}",
                    (
                        "LiteLLM has no such setting; set stream_timeout in router_settings, which "
                        "bounds the "
                        "silence before and between chunks"
                    ),
                )


@check("litellm-param-misspelt", "warning", "A parameter that is close to one that LiteLLM knows.")
def param_misspelt(doc: Document) -> Iterator[Found]:
    """What LiteLLM does not know it sends to the server as a field of the request."""
    for one in doc.entries:
        for key in one.params:
            if not isinstance(key, str) or key in doc.names.params or key in INFO:
                continue
            if misspelt(key, one.params):
                continue  # the start says so
            right = closest(key, USUAL, SLIP)
            if right is not None:
                yield (
                    f"{one.where}.litellm_params.{key}",
                    f"LiteLLM does not know it and sends it to the server; did you mean {right}?",
                )


@check("litellm-info-misspelt", "warning", "A key of `model_info` that is close to one that LiteLLM reads.")
def info_misspelt(doc: Document) -> Iterator[Found]:
    """`model_info` may have any key, so only the usual ones are compared."""
    usual = (
        "mode",
        "max_input_tokens",
        "max_output_tokens",
        "base_model",
        "supports_vision",
        "access_groups",
    )
    for one in doc.entries:
        for key in one.info:
            right = (
                closest(key, usual, SLIP)
                if isinstance(key, str) and key not in doc.names.model_info
                else None
            )
            if right is not None:
                yield f"{one.where}.model_info.{key}", f"LiteLLM does not read it; did you mean {right}?"


@check(
    "litellm-not-a-number", "error", "A parameter that must be a number is not: the deployment is left out."
)
def not_a_number(doc: Document) -> Iterator[Found]:
    """The router drops a deployment with a parameter of another type (`_create_deployment`, 1.108.7)."""
    for one in doc.entries:
        for key, kind in doc.names.numbers.items():
            value = doc.resolved(one.params.get(key))
            if value is None or is_unset(value) or is_number(value, whole=kind == "integer"):
                continue
            yield (
                f"{one.where}.litellm_params.{key}",
                (
                    f"expected a {'whole ' if kind == 'integer' else ''}number, got {shown(value)}; "
                    "LiteLLM would "
                    "leave this deployment out"
                ),
            )


@check(
    "litellm-timeout-not-seconds", "error", "A timeout that is not a number of seconds: every request fails."
)
def timeout_not_seconds(doc: Document) -> Iterator[Found]:
    """`timeout: 60s` and `timeout: -1` are taken at the start and fail each request (1.108.7)."""
    places = [(f"{one.where}.litellm_params", one.params) for one in doc.entries]
    places.append(("router_settings", doc.section("router_settings")))
    places.append(("litellm_settings", doc.section("litellm_settings")))
    for where, settings in places:
        for key in (*TIMEOUTS, "request_timeout"):
            value = doc.resolved(settings.get(key))
            if value is None or is_unset(value):
                continue
            if not is_number(value, whole=False) or float(value) < 0:  # type: ignore[arg-type]
                yield (
                    f"{where}.{key}",
                    f"expected seconds as a number, got {shown(value)}; each request would fail",
                )


# --- entries that get into each other's way --------------------------------------------------------


@check(
    "litellm-id-twice",
    "error",
    "Two deployments with one `model_info.id`: the second takes the first's place.",
)
def id_twice(doc: Document) -> Iterator[Found]:
    """The router finds a deployment by its id, and the last one has it (1.108.7)."""
    seen: dict[str, str] = {}
    for one in doc.entries:
        name = one.info.get("id")
        if name is None:
            continue
        first = seen.setdefault(str(name), one.where)
        if first != one.where:
            yield (
                f"{one.where}.model_info.id",
                (
                    f"{first} has the id {quoted(str(name))} too; requests for the first would go here: "
                    "change one"
                ),
            )


@check("litellm-deployment-twice", "warning", "Two equal deployments of one group count as one.")
def deployment_twice(doc: Document) -> Iterator[Found]:
    """A deployment's id is made of its name and parameters (`generate_model_id`, 1.108.7)."""
    seen: dict[str, str] = {}
    for one in doc.entries:
        if one.info.get("id") is not None or not one.params:
            continue
        parts = sorted(f"{key!r}: {value!r}" for key, value in one.params.items())
        first = seen.setdefault(repr([one.name, parts]), one.where)
        if first != one.where:
            yield one.where, f"the same as {first}, so that both count as one deployment; remove one"


@check("litellm-unknown-credential", "error", "A credential that `credential_list` does not have.")
def unknown_credential(doc: Document) -> Iterator[Found]:
    """LiteLLM goes on without one (`get_credential_values`, 1.108.7), so without a key and an address."""
    listed = doc.content.get("credential_list")
    known = (
        {str(one.get("credential_name")) for one in listed if isinstance(one, dict)}
        if isinstance(listed, list)
        else ()
    )
    names: Mapping[str, Any] = {f"{one.where}.litellm_params": one.params for one in doc.entries}
    for where, params in names.items():
        name = params.get("litellm_credential_name")
        if isinstance(name, str) and name not in known and not doc.router.in_database:
            yield (
                f"{where}.litellm_credential_name",
                f"credential_list has no {quoted(name)}; LiteLLM would go on without a key and an address",
            )


@check("key-in-the-file", "hint", "A key in the file: everyone who can read the file has it.")
def key_in_the_file(doc: Document) -> Iterator[Found]:
    """Keys of deployments, callers and the gateway that are written out."""
    for where, value in doc.texts():
        name = where.rpartition(".")[2]
        known = name in {"master_key", "secret", "next_key", "key"} and where.startswith(
            ("general", "homelab")
        )
        is_a_place = (name in TEXTS and "key" in name) or known
        if is_a_place and looks_like_a_key(value) and not value.startswith(NOT_SECRET):
            yield (
                where,
                "a key in this file; write os.environ/NAME and set the variable where LiteLLM starts",
            )
