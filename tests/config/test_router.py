"""router.yaml: groups, the chain, and settings that the installed LiteLLM really reads."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import Any

import litellm
import pytest
import yaml
from litellm.proxy._types import ConfigGeneralSettings
from litellm.types.router import AllowedFailsPolicy, RetryPolicy

from litellm_homelab.cli import environment
from litellm_homelab.config.loading import load, parse
from litellm_homelab.config.settings import Known
from litellm_homelab.optillm import costs
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.catalogue import CATALOGUE, Kind
from tests.config.shipped import (
    BY_GROUP,
    CALLERS,
    COMMENTED_ENV,
    DEPLOYMENTS,
    ENV,
    ENV_TEXT,
    FOLDER,
    LANES,
    REGISTRY,
    ROUTER,
    ROUTER_TEXT,
    SHOWROOM,
    Deployment,
)

OPTILLM_FILES = ("start.sh", "warmup.sh", "warmup.json", "proxy_config.yaml")
SETTINGS = ("router_settings", "litellm_settings", "general_settings")
NOT_IN_ITS_SCHEMA = {"custom_auth_run_common_checks", "disable_model_info_refresh", "trusted_proxy_ranges"}
"""Settings that LiteLLM 1.106.2 reads from `general_settings` without having them in its schema."""
ALL = [pytest.param(deployment, id=deployment.group) for deployment in DEPLOYMENTS]


REFUSED = ["reasoning_effort"]
FRESH = environment.parse(environment.with_fresh_secrets(ENV_TEXT), "env.example")
"""The environment of a first start: a secret of its own in the place of each `generate`."""


def parameters(provider: str) -> set[str]:
    """The chat parameters that LiteLLM takes for a provider's model that it does not know by name."""
    return set(litellm.get_supported_openai_params("some-model", custom_llm_provider=provider) or ())


def upstream_name(group: str) -> str:
    """The name that the upstream of a group sees."""
    return BY_GROUP[group].upstream_model


# --- the showroom ---


def test_handles_in_their_order() -> None:
    """The stable names come first, then the chain and the clouds, then one's own."""
    assert SHOWROOM["handles"] == [
        *("main", "deep", "fast", "swap", "boost", "embed", "vllm-qwen"),
        *("groq/llama-3.3-70b-versatile", "gemini/gemini-2.0-flash", "gemini/gemini-2.5-flash"),
        *("mistral/mistral-small-latest", "jerry-chat", "lil-jerry"),
    ]


def test_every_group_has_one_place() -> None:
    """Each name in the three lists is one group of its own, and no group is left in the backroom."""
    places = [*SHOWROOM["handles"], *SHOWROOM["hidden"], *SHOWROOM["internal"]]
    assert sorted(places) == sorted(deployment.group for deployment in DEPLOYMENTS)
    assert len(set(places)) == len(places)


def test_no_aliases() -> None:
    """A handle is a group: LiteLLM takes an alias out of the listing together with its target."""
    assert "model_group_alias" not in ROUTER["router_settings"]
    assert "model_group_alias" not in ROUTER["litellm_settings"]


def test_canonical_names() -> None:
    """A mlx-* name has its size inside, neither first nor last, and is the name its server knows."""
    names = [group for group in BY_GROUP if group.startswith("mlx-")]
    assert names == [name for name in SHOWROOM["hidden"] if name.startswith("mlx-")]
    for name in names:
        assert re.fullmatch(r"mlx-[a-z0-9]+(-[a-z0-9]+)*", name)
        assert any(re.fullmatch(r"[0-9]+b", part) for part in name.split("-")[2:-1])
        assert upstream_name(name) == name


def test_our_own_settings_accept_it() -> None:
    """The file starts: our loader finds no problem in it, with the environment of env.example."""
    known = Known(retry_policy=frozenset(RetryPolicy.model_fields))
    settings = load(FOLDER / "router.yaml", environ=FRESH, known=known)
    assert settings.handles == tuple(SHOWROOM["handles"])
    assert settings.registry.keys() == REGISTRY["models"].keys()


# --- deployments ---


@pytest.mark.parametrize("deployment", ALL)
def test_says_what_it_serves(deployment: Deployment) -> None:
    """Each deployment has a mode, and a chat one sends responses and messages to chat completions."""
    assert deployment.info["mode"] in {"chat", "embedding"}
    assert deployment.params.get("use_chat_completions_api", False) is (deployment.info["mode"] == "chat")


@pytest.mark.parametrize("deployment", ALL)
def test_upstream_is_three_variables(deployment: Deployment) -> None:
    """Model, address and key of an upstream come from variables with one prefix."""
    values = [deployment.params[name] for name in ("model", "api_base", "api_key")]
    prefix = values[0].removesuffix("_MODEL")
    suffix = "_GATE_KEY" if deployment.group == "boost" else "_API_KEY"
    assert prefix.startswith("os.environ/")
    assert values == [f"{prefix}_MODEL", f"{prefix}_API_BASE", f"{prefix}{suffix}"]


def test_prefixes_are_not_shared() -> None:
    """Moving one group to another upstream moves no other group."""
    prefixes = [deployment.params["model"] for deployment in DEPLOYMENTS]
    assert len(set(prefixes)) == len(prefixes)


@pytest.mark.parametrize("deployment", ALL)
def test_provider_reaches_chat(deployment: Deployment) -> None:
    """Every chat server but the two clouds that LiteLLM knows is reached through chat alone."""
    provider = deployment.model.partition("/")[0]
    exceptions = {"embed": "openai", "openai-gpt4o": "openai", "mistral/mistral-small-latest": "mistral"}
    assert provider == exceptions.get(deployment.group, "lm_studio")
    allowed = deployment.params.get("allowed_openai_params", [])
    expected = REFUSED if provider == "lm_studio" else []
    assert [name for name in allowed if name in REFUSED] == expected


def test_lm_studio_is_openai_without_completions() -> None:
    """LiteLLM takes it for OpenAI-compatible, without /v1/completions, and refuses one parameter."""
    assert "lm_studio" in litellm.openai_compatible_providers
    assert "lm_studio" not in litellm.openai_text_completion_compatible_providers
    assert sorted(parameters("openai") - parameters("lm_studio")) == REFUSED


# --- the chain and OptiLLM ---


def test_chain() -> None:
    """Only vllm-qwen falls back, through two internal rungs, and to no handle."""
    assert ROUTER["router_settings"]["fallbacks"] == [{"vllm-qwen": ["ollama-qwen", "openai-gpt4o"]}]
    assert SHOWROOM["internal"] == ["ollama-qwen", "openai-gpt4o", "boost-base"]


def test_a_rung_that_is_off_costs_a_second() -> None:
    """On this lab's own servers a machine that is off costs a second; each rung's limits fit its total."""
    limits = ROUTER["homelab"]["timeouts"]
    assert list(limits) == ["vllm-qwen", "ollama-qwen", "openai-gpt4o"]
    assert [one["connect"] for one in limits.values()] == [1, 1, 3]
    assert all(one["first_token"] + one["idle"] <= one["total"] for one in limits.values())


def test_the_rungs_of_the_lab_are_probed() -> None:
    """Every 15 s, each by its kind; a rung that is away is passed without a try."""
    backends = ROUTER["homelab"]["backends"]
    assert {name: one["kind"] for name, one in backends.items()} == {
        "gpu-box": "vllm",
        "ollama-box": "ollama",
    }
    for one in backends.values():
        assert one["presence"] == {"probe_seconds": 15, "timeout_seconds": 2, "on_absent": "fallback"}


def test_quotas_are_of_the_parallel_models() -> None:
    """Each free tier is a quota of its own, and none is part of the chain."""
    quotas = ROUTER["homelab"]["quotas"].values()
    clouds = [name for name in SHOWROOM["handles"] if name.startswith(("groq/", "gemini/", "mistral/"))]
    assert [group for one in quotas for group in one["groups"]] == clouds


def test_optillm_calls_back_to_a_plain_group() -> None:
    """The name that OptiLLM calls back is no client's, has no fallback, and does not lead to OptiLLM."""
    base = upstream_name("boost")
    assert base in SHOWROOM["internal"]
    assert BY_GROUP[base].api_base != ENV["OPTILLM_API_BASE"]
    assert base not in ROUTER["router_settings"]["fallbacks"][0]


def test_boost_does_nothing_but_call_back() -> None:
    """The shipped approaches are ordinary ones, each within `max_calls` at its worst; none is default."""
    boost = LANES["boost"]
    assert boost["approaches"] == ["none", "re2", "moa", "bon", "plansearch", "self_consistency"]
    assert {CATALOGUE[name].kind for name in boost["approaches"]} == {Kind.ORDINARY}
    estimates = [costs.estimate(Approach("single", (name,)), 1, {}) for name in boost["approaches"]]
    assert max(estimates) <= boost["max_calls"] == 64
    assert boost["default"] == "none"


def test_research_says_what_it_exposes() -> None:
    """Each approach of the commented handle is dangerous, and has a comment above it."""
    block = ROUTER_TEXT.partition("    # research:\n")[2].partition("\n\n")[0]
    lines = [line.strip(" #") for line in block.splitlines()]
    listed = [number for number, line in enumerate(lines) if line.startswith("- ")]
    assert [lines[number] for number in listed] == ["- router", "- web_search", "- deep_research"]
    assert {CATALOGUE[lines[number][2:]].kind for number in listed} == {Kind.DANGEROUS}
    assert all(lines[number - 1].endswith(".") for number in listed)


def test_callers() -> None:
    """A chat interface with a few handles, OptiLLM's calls back, and what reads the metrics."""
    assert {name: section.get("role") for name, section in CALLERS.items()} == {
        "open-webui": None,
        "optillm": "optillm",
        "prometheus": "metrics",
    }
    assert set(CALLERS["open-webui"]["handles"]) < set(SHOWROOM["handles"])


def test_boost_is_never_repeated() -> None:
    """A request to OptiLLM is neither retried nor failed over, and its failures rest nobody."""
    assert ROUTER["router_settings"]["model_group_retry_policy"]["boost"] == {"DefaultRetries": 0}
    assert BY_GROUP["boost"].params["num_retries"] == 0
    assert BY_GROUP["boost"].params["cooldown_time"] == 0
    assert ROUTER["litellm_settings"]["cache"] is False


# --- settings that LiteLLM reads ---


def policies() -> list[Any]:
    """Every retry policy of the file."""
    router = ROUTER["router_settings"]
    groups = router["model_group_retry_policy"].items()
    return [pytest.param(router["retry_policy"], id="all"), *(pytest.param(p, id=g) for g, p in groups)]


@pytest.mark.parametrize("policy", policies())
def test_retry_policy_names(policy: dict[str, int]) -> None:
    """Each name in a retry policy is one of LiteLLM's, which passes over others without a word."""
    assert policy.keys() <= RetryPolicy.model_fields.keys()


def test_policies_name_groups() -> None:
    """A policy for a group is for a group that exists."""
    assert ROUTER["router_settings"]["model_group_retry_policy"].keys() <= BY_GROUP.keys()


def test_router_settings_are_the_routers() -> None:
    """Each name in `router_settings` is an argument of LiteLLM's Router."""
    assert ROUTER["router_settings"].keys() <= inspect.signature(litellm.Router.__init__).parameters.keys()


def test_litellm_settings_are_litellms() -> None:
    """Each name in `litellm_settings` is a setting of the litellm module."""
    assert [name for name in ROUTER["litellm_settings"] if not hasattr(litellm, name)] == []


def test_general_settings_are_the_proxys() -> None:
    """Each name in `general_settings` is in the proxy's schema or known to be read beside it."""
    known = ConfigGeneralSettings.model_fields.keys() | NOT_IN_ITS_SCHEMA
    assert ROUTER["general_settings"].keys() <= known


def test_allowed_fails_is_not_litellms_default() -> None:
    """LiteLLM takes its default for "not set"; then stock rests a deployment for a single 404."""
    assert ROUTER["router_settings"]["allowed_fails"] != litellm.allowed_fails


def test_allowed_fails_policy_names() -> None:
    """LiteLLM reads each name: what a client can cause never rests, the rest closes lone handles too."""
    policy = ROUTER["router_settings"]["allowed_fails_policy"]
    never = {name.removesuffix("ErrorAllowedFails") for name, most in policy.items() if most > 1000}
    assert never == {"BadRequest", "Authentication", "NotFound", "ContentPolicyViolation"}
    assert policy.keys() == AllowedFailsPolicy.model_fields.keys()
    assert {most for most in policy.values() if most <= 1000} == {ROUTER["router_settings"]["allowed_fails"]}


def test_closed_where_stock_is_open() -> None:
    """The settings that keep metrics, logs and error texts shut have the values that do so."""
    settings = ROUTER["litellm_settings"]
    assert settings["require_auth_for_metrics_endpoint"] is True
    assert settings["global_disable_no_log_param"] is True
    assert settings["expose_router_debug_in_errors"] is False
    assert settings["callbacks"] == ["prometheus", "litellm_homelab.plugin"]
    assert ROUTER["general_settings"]["custom_auth"] == "litellm_homelab.gate"
    assert ROUTER["general_settings"]["custom_auth_run_common_checks"] is True
    assert ROUTER["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"


def test_search_tool() -> None:
    """The search tool is SearXNG at its variable's address."""
    [tool] = ROUTER["search_tools"]
    assert tool["search_tool_name"] == "searxng-search"
    assert tool["litellm_params"] == {"search_provider": "searxng", "api_base": "os.environ/SEARXNG_API_BASE"}


# --- the file as a text ---


def setting_lines(section: str) -> list[Any]:
    """Each top-level setting of a section with the line before it."""
    lines = ROUTER_TEXT.partition(f"\n{section}:\n")[2].partition("\n\n")[0].splitlines()
    pairs = itertools.pairwise(["", *lines])
    return [
        pytest.param(before, id=line.split(":")[0].strip())
        for before, line in pairs
        if re.match(r"  \w", line)
    ]


@pytest.mark.parametrize("before", [param for section in SETTINGS for param in setting_lines(section)])
def test_setting_says_why(before: str) -> None:
    """Each setting follows a comment of its own."""
    assert re.match(r"  # \S", before)


def test_every_setting_is_looked_at() -> None:
    """The comment test sees all settings of the three sections."""
    names = [str(param.id) for section in SETTINGS for param in setting_lines(section)]
    assert names == [name for section in SETTINGS for name in ROUTER[section]]


READY = re.compile(r"(?P<indent> *)# (- model_name: \w+|- (research|tinyagents|afm|openvino)|research:.*)")
"""How a block begins that is ready to uncomment; it goes on as long as its lines are comments."""


def uncommented() -> str:
    """The file with every such block uncommented, the comments inside it left as comments."""
    lines, prefix = [], None
    for line in ROUTER_TEXT.splitlines():
        begin = READY.fullmatch(line)
        if begin is not None:
            prefix = begin["indent"] + "# "
        elif prefix is not None and not line.startswith(prefix):
            prefix = None
        lines.append(line if prefix is None else line.replace("# ", "", 1))
    return "\n".join(lines)


def test_commented_blocks_are_ready() -> None:
    """Without its `# `, each commented block is a deployment like the others, and its handle a handle."""
    document = yaml.safe_load(uncommented())
    added = [entry for entry in document["model_list"] if entry["model_name"] not in BY_GROUP]
    names = ["research", "tinyagents", "afm", "openvino"]
    plain = {"model", "api_base", "api_key", "use_chat_completions_api", "mode"}
    plain |= {"allowed_openai_params", "additional_drop_params"}
    assert [entry["model_name"] for entry in added] == names
    assert document["homelab"]["showroom"]["handles"] == [*SHOWROOM["handles"], *names]
    assert [{*e["litellm_params"], *e["model_info"]} for e in added[1:]] == [plain] * 3
    assert added[0]["litellm_params"] == BY_GROUP["boost"].params
    policies = document["router_settings"]["model_group_retry_policy"]
    assert policies["research"] == policies["boost"]


def test_commented_blocks_are_accepted() -> None:
    """With every block uncommented, and its variables set, the settings find no problem either."""
    environ = {**FRESH, **COMMENTED_ENV}
    parsed = parse(uncommented(), path=FOLDER / "router.yaml", environ=environ, known=Known())
    assert set(parsed.homelab.optillm) == {"boost", "research"}


FILES = ["router.yaml", "env.example", "registry.json", *(f"optillm/{name}" for name in OPTILLM_FILES)]


@pytest.mark.parametrize("name", FILES)
def test_names_no_machine(name: str) -> None:
    """A file holds no address but this machine's, and no path of somebody's computer."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) <= {"127.0.0.1"}
    assert not re.search(r"/(home|Users|work|tmp)/", text)
