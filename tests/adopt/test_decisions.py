"""What is decided for an owner's file, and that there is a note on each decision."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.adopt.decisions import CannotAdopt, Draft, Wishes, decide
from litellm_homelab.config import router_file, yaml_text

HERE = "api_base: 'http://127.0.0.1:8000/v1', api_key: none"
MODELS = "\n".join(
    f"  - {{model_name: {name}, litellm_params: {{model: openai/{name}, {HERE}}}}}" for name in "abc"
)


def drafted(text: str, *, callers: tuple[str, ...] = (), handles: tuple[str, ...] = ()) -> Draft:
    """The draft for a router.yaml with the models a, b and c and whatever else."""
    document: Any = yaml_text.load(text if "model_list" in text else f"model_list:\n{MODELS}\n{text}")
    router, _ = router_file.read(document, "router.yaml", {})
    return decide(document, router, Wishes(callers, handles))


def test_every_group_is_a_handle() -> None:
    """Where nothing says otherwise, clients see what they saw, and the two lines load everything."""
    draft = drafted("")
    assert draft.homelab == {"showroom": {"handles": ["a", "b", "c"]}}
    assert draft.callback
    assert ("general_settings", "custom_auth", "litellm_homelab.gate") in draft.settings


@pytest.mark.parametrize(
    ("text", "handles", "internal"),
    [
        pytest.param("router_settings: {fallbacks: [{a: [b, c]}]}", ["a"], ["b", "c"], id="a chain"),
        pytest.param(
            "router_settings: {fallbacks: [{a: [b]}, {b: [a]}]}", ["a", "b", "c"], [], id="both ways"
        ),
        pytest.param(
            "litellm_settings: {context_window_fallbacks: [{a: [c]}]}", ["a", "b"], ["c"], id="window"
        ),
        pytest.param("router_settings: {default_fallbacks: [c]}", ["a", "b", "c"], [], id="of every group"),
    ],
)
def test_groups_that_only_fallbacks_reach_are_internal(
    text: str, handles: list[str], internal: list[str]
) -> None:
    """With a note, since a client may have asked for one by name."""
    draft = drafted(text)
    assert draft.homelab["showroom"] == {"handles": handles, **({"internal": internal} if internal else {})}
    assert [one for one in draft.notes if "is internal" in one] == [
        f"'{name}' is internal, since other groups lead to it; move it to handles if clients ask for it by "
        "name"
        for name in internal
    ]


def test_what_is_not_listed_stays_so() -> None:
    """`discoverable: false` is hidden: callable, in no list."""
    quiet = "  - {model_name: d, litellm_params: {model: openai/d}, model_info: {discoverable: false}}"
    text = f"model_list:\n{MODELS}\n{quiet}"
    assert drafted(text).homelab["showroom"] == {"handles": ["a", "b", "c"], "hidden": ["d"]}


@pytest.mark.parametrize(
    ("model", "more", "changed"),
    [
        pytest.param("openai/plansearch-openai/deep", "", "openai/openai/deep", id="with a provider"),
        pytest.param("openai/moa-deep", "", "openai/deep", id="without one"),
        pytest.param(
            "moa-openai/deep", ", custom_llm_provider: openai", "openai/openai/deep", id="provider apart"
        ),
    ],
)
def test_an_approach_in_front_of_a_model_is_an_optillm_handle(model: str, more: str, changed: str) -> None:
    """The approach becomes the default, and OptiLLM is asked for the model that it asked for before."""
    text = f"model_list:\n  - {{model_name: think, litellm_params: {{model: {model}, {HERE}{more}}}}}"
    draft = drafted(text)
    approach = model.removeprefix("openai/").partition("-")[0]
    assert draft.homelab["optillm"] == {
        "think": {"approaches": ["none", approach], "default": approach, "carrier": "off"}
    }
    assert draft.models == {0: changed}
    assert ("general_settings", "disable_model_info_refresh", True) in draft.settings


@pytest.mark.parametrize(
    "model", ["openai/memory-7b", "openai/router-large", "openai/qwen-30b", "openai/json"]
)
def test_a_model_that_is_called_like_an_approach_is_a_model(model: str) -> None:
    """Unless the server's address says that it is OptiLLM."""
    assert (
        "optillm"
        not in drafted(
            f"model_list:\n  - {{model_name: a, litellm_params: {{model: {model}, {HERE}}}}}"
        ).homelab
    )


def test_a_combination_of_approaches_is_left_with_a_note() -> None:
    """A handle's default is one approach; a name with a sign in it that is none has no note."""
    entries = "".join(
        f"  - {{model_name: {name}, litellm_params: {{model: '{model}', {HERE}}}}}\n"
        for name, model in (("deep", "openai/moa&bon-qwen3"), ("other", "openai/r&d-7b"))
    )
    draft = drafted(f"model_list:\n{entries}")
    assert draft.models == {}
    assert draft.homelab == {"showroom": {"handles": ["deep", "other"]}}
    (note,) = [one for one in draft.notes if "combination" in one]
    assert note.startswith("'deep' asks OptiLLM for the combination moa&bon")
    assert "list moa and bon under `homelab.optillm`" in note


def test_clients_get_keys_of_their_own() -> None:
    """Each as a variable that must be set, never as a key in the file."""
    draft = drafted("", callers=("open-webui", "phone"))
    assert draft.homelab["callers"] == {
        "open-webui": {"key": "os.environ/OPEN_WEBUI_KEY"},
        "phone": {"key": "os.environ/PHONE_KEY"},
    }
    assert draft.variables == ["OPEN_WEBUI_KEY", "PHONE_KEY"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        pytest.param("router_settings: {model_group_alias: {old: a}}", "model_group_alias 'old'", id="alias"),
        pytest.param("general_settings: {custom_auth: mine.auth}", "'mine.auth' stays", id="own auth"),
        pytest.param("general_settings: {cancel_on_disconnect: false}", "false stays", id="another value"),
        pytest.param("general_settings: {store_model_in_db: true}", "database", id="database"),
        pytest.param(
            "general_settings: {pass_through_endpoints: [{path: /x, target: y}]}",
            "/x is closed",
            id="pass-through",
        ),
        pytest.param("mcp_servers: {a: {url: x}}", "MCP", id="MCP"),
        pytest.param("guardrails: [{guardrail_name: g}]", "guardrails stay", id="guardrails"),
    ],
)
def test_what_is_unusual_gets_a_sentence(text: str, note: str) -> None:
    """It works with us, or the note says what to do."""
    assert [one for one in drafted(text).notes if note in one]


def test_a_name_that_cannot_be_a_handle_is_left_out() -> None:
    """With the reason."""
    draft = drafted(
        f"model_list:\n{MODELS}\n  - {{model_name: my model, litellm_params: {{model: openai/x, {HERE}}}}}"
    )
    assert draft.homelab["showroom"]["handles"] == ["a", "b", "c"]
    assert [one for one in draft.notes if "'my model' is not a valid name" in one]


def test_wildcards_serve_the_names_that_are_said() -> None:
    """A wildcard group is no handle; names below it are."""
    text = f"model_list:\n  - {{model_name: 'ollama/*', litellm_params: {{model: 'openai/*', {HERE}}}}}"
    assert drafted(text, handles=("ollama/qwen",)).homelab["showroom"] == {"handles": ["ollama/qwen"]}
    with pytest.raises(CannotAdopt, match="--handle"):
        drafted(text)


def test_a_file_with_our_section_is_left_alone() -> None:
    """There is nothing to draft."""
    with pytest.raises(CannotAdopt, match="already"):
        drafted("homelab: {showroom: {handles: [a]}}")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("", 600, id="no chain"),
        pytest.param("router_settings: {fallbacks: [{a: [b, c]}], num_retries: 0}", 600, id="three calls"),
        pytest.param("router_settings: {fallbacks: [{a: [b, c]}]}", 180, id="nine calls with retries"),
        pytest.param("router_settings: {fallbacks: [{a: [b, c]}], num_retries: 99}", 60, id="many"),
        pytest.param("router_settings: {timeout: 30}", None, id="set"),
        pytest.param("litellm_settings: {request_timeout: 30}", None, id="set elsewhere"),
    ],
)
def test_an_attempt_ends(text: str, seconds: int | None) -> None:
    """Where nothing bounds it, so that no chain takes more than half an hour; else the owner's own holds."""
    found = [value for _, name, value in drafted(text).settings if name == "timeout"]
    assert found == ([] if seconds is None else [seconds])


def test_local_chat_servers_are_asked_for_chat_completions() -> None:
    """Also for /v1/responses; a cloud, another mode, and an entry that says something itself stay."""
    entries = [
        f"{{model_name: near, litellm_params: {{model: openai/near, {HERE}}}}}",
        "{model_name: cloud, litellm_params: {model: openai/gpt-4o, api_key: x}}",
        f"{{model_name: o, litellm_params: {{model: openai/o, {HERE}, use_chat_completions_api: false}}}}",
        f"{{model_name: e, litellm_params: {{model: openai/e, {HERE}}}, model_info: {{mode: embedding}}}}",
    ]
    draft = drafted("model_list:\n" + "\n".join(f"  - {one}" for one in entries))
    assert draft.params == {0: {"use_chat_completions_api": True}}
    note = (
        "'near': /v1/responses is sent as chat completions, since few local servers have it; remove "
        "`use_chat_completions_api` where a server does"
    )
    assert [one for one in draft.notes if "/v1/responses" in one] == [note]
