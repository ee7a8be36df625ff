"""Every refusal is written in refusals.py, and reads as a person would say it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import litellm_homelab
from litellm_homelab import refusals
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.timeouts.rule import Limit, Reached

PACKAGE = Path(litellm_homelab.__file__).parent
HERE = "refusals.py"
LONG = "x" * 500

EXAMPLES: dict[Callable[..., object], tuple[Refuse, RefusalType, int, str | None]] = {
    refusals.of_the_self_test: (refusals.of_the_self_test(), RefusalType.PARAM_NOT_ALLOWED, 400, None),
    refusals.came_back: (refusals.came_back(), RefusalType.LOOP_DETECTED, 508, "model"),
    refusals.too_many_hops: (refusals.too_many_hops(16), RefusalType.LOOP_DETECTED, 508, "model"),
    refusals.hops_malformed: (refusals.hops_malformed(), RefusalType.INVALID_BODY, 400, None),
    refusals.key_missing: (refusals.key_missing(), RefusalType.AUTHENTICATION_ERROR, 401, None),
    refusals.key_unknown: (refusals.key_unknown(), RefusalType.AUTHENTICATION_ERROR, 401, None),
    refusals.master_key_missing: (
        refusals.master_key_missing("GET /key/info"),
        RefusalType.AUTHENTICATION_ERROR,
        401,
        None,
    ),
    refusals.metrics_key_missing: (
        refusals.metrics_key_missing(),
        RefusalType.AUTHENTICATION_ERROR,
        401,
        None,
    ),
    refusals.route_unreviewed: (
        refusals.route_unreviewed("POST /lens2/{path:path}"),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.route_closed: (
        refusals.route_closed("POST /v1/rag/query"),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.call_type_closed: (
        refusals.call_type_closed("acreate_skill"),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.route_of_the_master_key: (
        refusals.route_of_the_master_key("GET /key/info"),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.route_of_other_callers: (
        refusals.route_of_other_callers("POST /v1/embeddings", ["/v1/chat/*"]),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.metrics_with_another_role: (
        refusals.metrics_with_another_role(),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.reading_key_elsewhere: (
        refusals.reading_key_elsewhere("/metrics/"),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.page_key_missing: (
        refusals.page_key_missing("/homelab.json", ["admin"]),
        RefusalType.AUTHENTICATION_ERROR,
        401,
        None,
    ),
    refusals.page_with_another_role: (
        refusals.page_with_another_role("/homelab/widget.json", ["admin", "widgets"]),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.page_from_elsewhere: (
        refusals.page_from_elsewhere(),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        None,
    ),
    refusals.not_an_object: (refusals.not_an_object(), RefusalType.INVALID_BODY, 400, None),
    refusals.empty_body: (refusals.empty_body(), RefusalType.INVALID_BODY, 400, None),
    refusals.json_as_a_form: (
        refusals.json_as_a_form("application/x-www-form-urlencoded"),
        RefusalType.INVALID_BODY,
        400,
        None,
    ),
    refusals.form_instead_of_json: (
        refusals.form_instead_of_json("multipart/form-data"),
        RefusalType.INVALID_BODY,
        400,
        None,
    ),
    refusals.unreadable_query: (refusals.unreadable_query(), RefusalType.INVALID_BODY, 400, None),
    refusals.body_too_large: (refusals.body_too_large(2**25), RefusalType.BODY_TOO_LARGE, 413, None),
    refusals.too_many: (
        refusals.too_many("messages and content parts", 2000, "messages"),
        RefusalType.INVALID_BODY,
        400,
        "messages",
    ),
    refusals.nested_too_deeply: (
        refusals.nested_too_deeply(128, "tools"),
        RefusalType.INVALID_BODY,
        400,
        "tools",
    ),
    refusals.field_missing: (
        refusals.field_missing("max_tokens"),
        RefusalType.INVALID_BODY,
        400,
        "max_tokens",
    ),
    refusals.wrong_type: (
        refusals.wrong_type("n", "an integer", "a string ('2')"),
        RefusalType.INVALID_BODY,
        400,
        "n",
    ),
    refusals.malformed: (
        refusals.malformed("messages[0].content", "expected a string or a list of parts, got no value"),
        RefusalType.INVALID_BODY,
        400,
        "messages[0].content",
    ),
    refusals.unknown_form_fields: (
        refusals.unknown_form_fields("'speed'", "speed"),
        RefusalType.INVALID_BODY,
        400,
        "speed",
    ),
    refusals.two_models: (
        refusals.two_models("the body's `model`", "`?model=`"),
        RefusalType.INVALID_BODY,
        400,
        "model",
    ),
    refusals.model_missing: (
        refusals.model_missing("/v1/chat/completions", ["main"]),
        RefusalType.INVALID_BODY,
        400,
        "model",
    ),
    refusals.response_not_kept: (
        refusals.response_not_kept(),
        RefusalType.INVALID_BODY,
        404,
        "response_id",
    ),
    refusals.field: (
        refusals.field("api_base", "it chooses another address for the request"),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "api_base",
    ),
    refusals.header: (
        refusals.header("custom-llm-provider", "it chooses another provider"),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "custom-llm-provider",
    ),
    refusals.value: (
        refusals.value("tools[0].server_url", "it is not a public address"),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "tools[0].server_url",
    ),
    refusals.field_that_redirects: (
        refusals.field_that_redirects("api_key"),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "api_key",
    ),
    refusals.model_not_found: (
        refusals.model_not_found("gpt-4o", "main, deep"),
        RefusalType.MODEL_NOT_FOUND,
        404,
        "model",
    ),
    refusals.search_tool_not_found: (
        refusals.search_tool_not_found("bing", ["searxng-search"]),
        RefusalType.MODEL_NOT_FOUND,
        404,
        "model",
    ),
    refusals.mode_not_served: (
        refusals.mode_not_served("embed", "embedding", "/v1/chat/completions", []),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "model",
    ),
    refusals.route_without_a_model: (
        refusals.route_without_a_model("/v1/videos", ["main"]),
        RefusalType.ROUTE_NOT_ALLOWED,
        403,
        "model",
    ),
    refusals.approach: (
        refusals.approach("boost", "unknown approach 'mao' (allowed: none, moa)"),
        RefusalType.APPROACH_NOT_ALLOWED,
        400,
        "optillm_approach",
    ),
    refusals.approach_in_prompt: (
        refusals.approach_in_prompt("messages[0].content", "boost"),
        RefusalType.APPROACH_IN_PROMPT,
        400,
        "messages",
    ),
    refusals.fan_out_estimated: (
        refusals.fan_out_estimated("boost", "moa&mcts", 900, 64),
        RefusalType.FANOUT_EXCEEDED,
        422,
        "optillm_approach",
    ),
    refusals.field_on_optillm: (
        refusals.field_on_optillm("boost", "prompt_id", "a stored prompt would be added"),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "prompt_id",
    ),
    refusals.tool_of_a_server: (
        refusals.tool_of_a_server("boost", "web_search"),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "tools",
    ),
    refusals.dropped_by_approach: (
        refusals.dropped_by_approach("boost", "moa", "images", []),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "images",
    ),
    refusals.lineage_token_invalid: (
        refusals.lineage_token_invalid(),
        RefusalType.PARAM_NOT_ALLOWED,
        400,
        "model",
    ),
    refusals.parent_finished: (refusals.parent_finished(), RefusalType.PARAM_NOT_ALLOWED, 400, "model"),
    refusals.returned: (
        refusals.returned("boost -> OptiLLM -> boost"),
        RefusalType.LOOP_DETECTED,
        400,
        "model",
    ),
    refusals.looped: (
        refusals.looped("boost -> OptiLLM -> boost"),
        RefusalType.LOOP_DETECTED,
        508,
        "model",
    ),
    refusals.fan_out_spent: (
        refusals.fan_out_spent(64),
        RefusalType.FANOUT_EXCEEDED,
        422,
        "optillm_approach",
    ),
    refusals.orphaned: (refusals.orphaned(64, 30.0), RefusalType.FANOUT_EXCEEDED, 400, "model"),
    refusals.quota_exceeded: (
        refusals.quota_exceeded(
            "main", state="closed", unit="requests", per="day", limit=9, seconds=90, opens="Fri 02:00 CET"
        ),
        RefusalType.QUOTA_EXCEEDED,
        429,
        None,
    ),
    refusals.model_absent: (refusals.model_absent("main", 15), RefusalType.MODEL_ABSENT, 503, None),
    refusals.backend_busy: (refusals.backend_busy("main", 0.0, 7), RefusalType.BACKEND_BUSY, 429, None),
    refusals.upstream_timeout: (
        refusals.upstream_timeout("main", [Reached(Limit.CONNECT, 1), Reached(Limit.IDLE, 30)]),
        RefusalType.UPSTREAM_TIMEOUT,
        504,
        None,
    ),
    refusals.rule_failed: (refusals.rule_failed("showroom"), RefusalType.POLICY_ERROR, 503, None),
    refusals.store_failed: (refusals.store_failed(), RefusalType.POLICY_ERROR, 503, None),
    refusals.account_lost: (refusals.account_lost(), RefusalType.POLICY_ERROR, 503, None),
}
"""One refusal of each function, and its type, status and param."""

JARGON = re.compile(
    r"\b(told|stands?|nobody|somebody|is no|at once|the operator's|heard|holds?|go round|marks?)\b"
)
"""Words of the house's old idiom: other people do not write so."""
ADVICE = re.compile(
    r"\b(Send|Use|Remove|Ask|Set|Name|name one|send|You may use|may use:|There is:|serves:"
    r"|that you may use serves|is required|must be|expected|allowed:)"
)
"""How a text says what to do, or what is valid."""
IDS = [function.__name__ for function in EXAMPLES]


def functions() -> Iterator[Callable[..., object]]:
    """Every function of refusals.py that gives a refusal."""
    for name, function in inspect.getmembers(refusals, inspect.isfunction):
        returns = inspect.get_annotations(function)["return"]
        if not name.startswith("_") and function.__module__ == refusals.__name__ and returns == "Refuse":
            yield function


def test_each_refusal_has_an_example_here() -> None:
    """A new one is added to the table above, so that its text is looked at."""
    assert {function.__name__ for function in functions()} == set(IDS)


@pytest.mark.parametrize(("refusal", "kind", "status", "param"), EXAMPLES.values(), ids=IDS)
def test_a_refusal_has_its_type_status_and_param(
    refusal: Refuse, kind: RefusalType, status: int, param: str | None
) -> None:
    """As the contract's table of refusals has them; a child of OptiLLM's gets a 400."""
    assert (refusal.type, refusal.status, refusal.param) == (kind, status, param)


@pytest.mark.parametrize("refusal", [one for one, *_ in EXAMPLES.values()], ids=IDS)
def test_a_text_is_plain_and_says_what_to_do(refusal: Refuse) -> None:
    """Whole sentences in common words, with what to send instead or whom to ask."""
    assert refusal.message == " ".join(refusal.message.split())
    assert refusal.message.endswith(".")
    assert JARGON.search(refusal.message) is None, refusal.message
    assert ADVICE.search(refusal.message), refusal.message


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        pytest.param(refusals.looped, ("boost -> OptiLLM -> boost",), id="looped"),
        pytest.param(refusals.fan_out_spent, (64,), id="fan_out_spent"),
    ],
)
def test_a_child_of_optillm_gets_the_same_text_as_a_400(
    function: Callable[..., Refuse], arguments: tuple[object, ...]
) -> None:
    """OptiLLM's client repeats every 5xx, and the type and text are the same for both."""
    client, child = function(*arguments), function(*arguments, to_child=True)
    assert (child.type, child.message, child.status) == (client.type, client.message, 400)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(refusals.model_not_found(LONG, "main"), id="model"),
        pytest.param(refusals.search_tool_not_found(LONG, ["searxng"]), id="search tool"),
        pytest.param(refusals.field(LONG, "why"), id="field"),
        pytest.param(refusals.header(LONG, "why"), id="header"),
        pytest.param(refusals.value(LONG, "why"), id="value"),
        pytest.param(refusals.call_type_closed(LONG), id="call type"),
    ],
)
def test_a_clients_own_text_is_repeated_in_part_only(refusal: Refuse) -> None:
    """What a client sends may be long; the refusal is not."""
    assert "x" * refusals.LONGEST_ECHO in refusal.message
    assert "x" * (refusals.LONGEST_ECHO + 1) not in refusal.message + str(refusal.param)


def test_names_are_listed_up_to_a_number() -> None:
    """The rest is counted, with where to read all of them."""
    names = [f"h{number}" for number in range(refusals.SHOWN + 3)]
    assert refusals.listing(names[: refusals.SHOWN]).endswith(f"h{refusals.SHOWN - 1}")
    assert refusals.listing(names).endswith(f"h{refusals.SHOWN - 1} and 3 more (GET /v1/models)")
    assert refusals.listing([]) == "none"


def built_in(source: str) -> list[int]:
    """Lines of a source that build a refusal themselves, under whatever name it is imported."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == "Refuse"
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) in names or getattr(node.func, "attr", None) == "Refuse")
    ]


def test_no_other_module_builds_a_refusal() -> None:
    """All texts are in one file, so that they are found and read together."""
    sources = {str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    found = {name: lines for name, source in sources.items() if (lines := built_in(source))}
    assert found.keys() == {HERE}


@pytest.mark.parametrize(
    "source",
    [
        "from litellm_homelab.decision import Refuse\nRefuse(1, 'text')\n",
        "from litellm_homelab.decision import Refuse as No\nNo(1, 'text')\n",
        "from litellm_homelab import decision\ndecision.Refuse(1, 'text')\n",
    ],
    ids=["name", "other name", "module"],
)
def test_a_refusal_built_elsewhere_is_found(source: str) -> None:
    """However it is imported."""
    assert built_in(source) == [2]
