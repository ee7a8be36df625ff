"""The showroom rule: names, callers, call types, attempts."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.access.callers import MASTER, Caller
from litellm_homelab.config.loading import parse
from litellm_homelab.config.settings import Known
from litellm_homelab.decision import Allow, RefusalType, Refuse
from litellm_homelab.refusals import LONGEST_ECHO, SHOWN
from litellm_homelab.showroom.modes import KEPT_RESPONSE, MODES, ROUTES
from litellm_homelab.showroom.rule import Showroom

ROUTER = """
homelab:
  showroom:
    handles: [main, deep, embed, groq/llama-3.3-70b-versatile]
    hidden: [mlx-demo-7b-q4-base]
    internal: [rung, floor]
model_list:
  - {model_name: main, litellm_params: {model: openai/real-main}}
  - {model_name: deep, litellm_params: {model: openai/real-deep}}
  - {model_name: embed, litellm_params: {model: openai/real-embed}, model_info: {mode: embedding}}
  - {model_name: groq/llama-3.3-70b-versatile, litellm_params: {model: groq/llama-3.3-70b-versatile}}
  - {model_name: mlx-demo-7b-q4-base, litellm_params: {model: openai/mlx-demo-7b-q4-base}}
  - {model_name: rung, litellm_params: {model: openai/real-rung}}
  - {model_name: floor, litellm_params: {model: openai/real-floor}}
  - {model_name: back, litellm_params: {model: openai/real-back}}
search_tools:
  - {search_tool_name: searxng-search, litellm_params: {search_provider: searxng}}
router_settings:
  fallbacks: [{main: [rung]}]
  context_window_fallbacks: [{rung: [floor]}]
litellm_settings: {callbacks: [litellm_homelab.plugin]}
"""
HIDDEN = "mlx-demo-7b-q4-base"
GROQ = "groq/llama-3.3-70b-versatile"
CLIENT = Caller("open-webui")
NARROW = Caller("notes", handles=frozenset({"deep", HIDDEN, "rung", "back"}))
OPTILLM = Caller("optillm", role="optillm")
NARROW_OPTILLM = Caller("optillm", role="optillm", handles=frozenset({"deep"}))
METRICS = Caller("prometheus", role="metrics")
CALLERS = (MASTER, CLIENT, NARROW, OPTILLM, NARROW_OPTILLM, METRICS)
EVERYTHING = {"main", "deep", "embed", GROQ, HIDDEN}


def showroom(text: str = ROUTER) -> Showroom:
    """The rule for a router.yaml."""
    return Showroom.from_settings(parse(text, path="router.yaml", environ={}, known=Known()))


RULE = showroom()


# --- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "names"),
    [
        pytest.param(MASTER, EVERYTHING, id="master"),
        pytest.param(CLIENT, EVERYTHING, id="client"),
        pytest.param(NARROW, {"deep", HIDDEN}, id="client with handles"),
        pytest.param(OPTILLM, EVERYTHING | {"rung", "floor"}, id="optillm"),
        pytest.param(NARROW_OPTILLM, {"deep", "rung", "floor"}, id="optillm with handles"),
        pytest.param(METRICS, set(), id="metrics"),
        pytest.param(Caller("nobody", handles=frozenset()), set(), id="no handles at all"),
    ],
)
def test_who_may_use_what(caller: Caller, names: set[str]) -> None:
    """Without `handles` every handle and hidden name, with them those, internal ones by role alone."""
    assert RULE.served(caller) == names


@pytest.mark.parametrize(
    ("caller", "names"),
    [
        pytest.param(MASTER, ("main", "deep", "embed", GROQ), id="master"),
        pytest.param(NARROW, ("deep",), id="client with handles"),
        pytest.param(OPTILLM, ("main", "deep", "embed", GROQ), id="optillm"),
        pytest.param(METRICS, (), id="metrics"),
    ],
)
def test_a_listing_shows_handles_in_their_order(caller: Caller, names: tuple[str, ...]) -> None:
    """Hidden and internal names are never listed."""
    assert RULE.listed(caller) == names


NAMES = {
    "main": True,
    "deep": True,
    GROQ: True,
    HIDDEN: True,
    "rung": False,
    "floor": False,
    "back": False,
    "nowhere": False,
    "openai/real-main": False,
    "real-main": False,
    "MAIN": False,
    "main ": False,
    " main": False,
    "main\n": False,
    "main\u200b": False,
    "ma\u0131n": False,
    "main,deep": False,
    "*": False,
    HIDDEN.upper(): False,
}
"""Names, and whether a client may use them for chat."""
CHAT = ("acompletion", "atext_completion", "aresponses", "anthropic_messages", "agenerate_content")


@pytest.mark.parametrize("call_type", CHAT)
@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_names_are_exact_on_every_chat_route(name: str, call_type: str) -> None:
    """No spelling but the exact one names anything."""
    decision = RULE.request(call_type, name, (), CLIENT)
    if NAMES[name]:
        assert decision == Allow()
    else:
        assert isinstance(decision, Refuse)
        assert (decision.type, decision.status, decision.param) == ("model_not_found", 404, "model")


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: f"{caller.name}-{caller.handles is not None}")
@pytest.mark.parametrize("name", [*NAMES, "embed"], ids=repr)
def test_a_caller_reaches_what_it_is_served_and_no_more(name: str, caller: Caller) -> None:
    """The decision on a request and `served` agree, whoever asks."""
    route = "aembedding" if name == "embed" else "acompletion"
    allowed = RULE.request(route, name, (), caller) == Allow()
    assert allowed == (name in RULE.served(caller))


ODD = st.one_of(
    st.text(), st.none(), st.integers(), st.booleans(), st.binary(), st.floats(), st.lists(st.text()),
    st.dictionaries(st.text(), st.text()), st.tuples(st.text()), st.sampled_from(sorted(NAMES)),
)  # fmt: skip


@given(
    model=ODD,
    others=st.lists(st.text() | st.sampled_from(sorted(NAMES)), max_size=3),
    call_type=st.sampled_from(sorted(ROUTES)) | st.text(),
    caller=st.sampled_from(CALLERS),
)
def test_no_value_makes_it_raise_and_only_served_names_are_allowed(
    model: object, others: list[str], call_type: str, caller: Caller
) -> None:
    """Whatever a client writes as a model, on any route: a decision, and `Allow` for served names only."""
    decision = RULE.request(call_type, model, others, caller)
    assert isinstance(decision, Allow | Refuse)
    if isinstance(decision, Allow):
        if ROUTES[call_type].names == "search_tool":
            assert model in RULE.search_tools
            return
        named = [model, *others] if model else others
        assert named
        assert all(name in RULE.served(caller) for name in named)


def test_every_name_of_a_request_is_judged() -> None:
    """One name that may be used does not cover for another that may not."""
    assert RULE.request("acompletion", "main", ("deep",), CLIENT) == Allow()
    assert isinstance(RULE.request("acompletion", "main", ("back",), CLIENT), Refuse)
    assert isinstance(RULE.request("afile_content", None, ("main", "back"), CLIENT), Refuse)


# --- the not-found answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: f"{caller.name}-{caller.handles is not None}")
def test_a_backroom_name_is_answered_like_one_that_exists_nowhere(caller: Caller) -> None:
    """Byte for byte the same but for the name, so that nobody can look for backroom models."""
    back, nowhere = (RULE.request("acompletion", name, (), caller) for name in ("back", "nope"))
    assert isinstance(back, Refuse)
    assert isinstance(nowhere, Refuse)
    assert back.message.replace("'back'", "'nope'") == nowhere.message
    assert (back.type, back.param, back.headers) == (nowhere.type, nowhere.param, nowhere.headers)


@pytest.mark.parametrize(
    ("model", "caller", "message"),
    [
        pytest.param(
            "back",
            CLIENT,
            f"The model 'back' does not exist or you may not use it. You may use: main, deep, embed, {GROQ}.",
            id="what it may use",
        ),
        pytest.param(
            "main",
            NARROW,
            "The model 'main' does not exist or you may not use it. You may use: deep.",
            id="only its own handles",
        ),
        pytest.param(
            "main",
            METRICS,
            "The model 'main' does not exist or you may not use it. You may use: none.",
            id="none",
        ),
        pytest.param(
            ["main"],
            NARROW,
            "The model 'list' does not exist or you may not use it. You may use: deep.",
            id="a list",
        ),
    ],
)
def test_the_message_says_what_may_be_used(model: object, caller: Caller, message: str) -> None:
    """A person with a wrong name reads the right ones."""
    decision = RULE.request("acompletion", model, (), caller)
    assert isinstance(decision, Refuse)
    assert decision.message == message


def test_a_long_name_is_cut_in_the_answer() -> None:
    """A client's own text comes back, but no megabyte of it."""
    decision = RULE.request("acompletion", "x" * 1_000_000, (), NARROW)
    assert isinstance(decision, Refuse)
    assert "x" * LONGEST_ECHO in decision.message
    assert len(decision.message) < LONGEST_ECHO + 100


@pytest.mark.parametrize("model", [None, ""])
@pytest.mark.parametrize(
    ("call_type", "message"),
    [
        ("acompletion", "'model' is missing. /v1/chat/completions serves: deep."),
        ("amoderation", "'model' is missing. None of the models that you may use serves /v1/moderations."),
    ],
)
def test_no_model_is_a_400_that_lists_what_the_route_serves(
    call_type: str, message: str, model: object
) -> None:
    """No name is another mistake than a wrong one."""
    expected = Refuse(RefusalType.INVALID_BODY, message, param="model")
    assert RULE.request(call_type, model, (), NARROW) == expected


# --- routes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call_type", "model", "message"),
    [
        pytest.param(
            "aembedding",
            "main",
            "main has mode 'chat', which /v1/embeddings does not serve. /v1/embeddings serves: embed.",
            id="embeddings of a chat handle",
        ),
        pytest.param(
            "acompletion",
            "embed",
            "embed has mode 'embedding', which /v1/chat/completions does not serve. "
            f"/v1/chat/completions serves: main, deep, {GROQ}.",
            id="chat with an embedding handle",
        ),
        pytest.param(
            "aspeech",
            "main",
            "main has mode 'chat', which /v1/audio/speech does not serve. "
            "None of the models that you may use serves /v1/audio/speech.",
            id="a route that no handle serves",
        ),
    ],
)
def test_a_route_that_does_not_fit_the_mode_is_a_clear_400(call_type: str, model: str, message: str) -> None:
    """It is refused before routing, and the answer names handles that fit."""
    decision = RULE.request(call_type, model, (), CLIENT)
    assert decision == Refuse(RefusalType.PARAM_NOT_ALLOWED, message, param="model")
    assert isinstance(decision, Refuse)
    assert decision.status == 400


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_served_by_a_route_and_by_those_alone(mode: str) -> None:
    """The table of routes and the handles' modes agree."""
    rule = showroom(ROUTER.replace("mode: embedding", f"mode: {mode}"))
    serving = {name for name, route in ROUTES.items() if route.names == "handle" and mode in route.modes}
    allowed = {
        name
        for name, route in ROUTES.items()
        if route.names == "handle" and rule.request(name, "embed", (), CLIENT) == Allow()
    }
    assert allowed == serving != set()


@pytest.mark.parametrize("call_type", ["acreate_fine_tuning_job", "", "completion2", "x" * 10_000])
def test_a_call_type_that_is_not_in_the_table_is_refused(call_type: str) -> None:
    """A route that LiteLLM adds stays closed until someone has looked at it, whoever asks."""
    decision = RULE.request(call_type, "main", (), MASTER)
    assert isinstance(decision, Refuse)
    assert (decision.type, decision.status) == ("route_not_allowed", 403)
    assert (
        decision.message
        == f"This gateway does not serve this route (call type '{call_type[:LONGEST_ECHO]}'). "
        "Use /v1/chat/completions, /v1/responses, /v1/messages or /v1/embeddings."
    )


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        pytest.param("searxng-search", None, id="configured"),
        pytest.param("main", "'main'", id="a handle is no tool"),
        pytest.param("tavily", "'tavily'", id="another"),
        pytest.param(None, "''", id="none"),
        pytest.param(["searxng-search"], "'list'", id="a list"),
    ],
)
def test_search_names_a_configured_tool(tool: object, message: str | None) -> None:
    """On the search route `model` is the tool."""
    decision = RULE.request("asearch", tool, (), CLIENT)
    if message is None:
        assert decision == Allow()
    else:
        assert isinstance(decision, Refuse)
        assert decision.message == f"The search tool {message} does not exist. There is: searxng-search."


@pytest.mark.parametrize("call_type", sorted(n for n, route in ROUTES.items() if route.names == "resource"))
def test_a_resource_needs_a_name_and_a_good_one(call_type: str) -> None:
    """Files, batches, videos, responses and containers name a handle by id, header or query."""
    unnamed = RULE.request(call_type, None, (), CLIENT)
    assert isinstance(unnamed, Refuse)
    if ROUTES[call_type].path == KEPT_RESPONSE:  # the id is all that a client has, and it names nothing
        assert (unnamed.type, unnamed.status) == ("invalid_request_error", 404)
        assert "keeps no responses" in unnamed.message
    else:
        assert unnamed.type == "route_not_allowed"
        assert "?model= or the header x-litellm-model (main, deep, embed" in unnamed.message
    assert RULE.request(call_type, None, ("main",), CLIENT) == Allow()
    assert RULE.request(call_type, None, (HIDDEN,), CLIENT) == Allow()
    for name in ("back", "rung", "nowhere"):
        refused = RULE.request(call_type, None, (name,), CLIENT)
        assert isinstance(refused, Refuse)
        assert refused.type == "model_not_found"


# --- attempts ------------------------------------------------------------------------------------------

LEADS: Mapping[str, set[str]] = {
    "main": {"main", "rung", "floor"},
    "deep": {"deep"},
    "rung": {"rung", "floor"},
    HIDDEN: {HIDDEN},
    "searxng-search": {"searxng-search"},
}


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: f"{caller.name}-{caller.handles is not None}")
@pytest.mark.parametrize("asked", LEADS)
def test_an_attempt_goes_where_the_operators_fallbacks_lead(asked: str, caller: Caller) -> None:
    """From a name: itself and its fallbacks, followed to their end; a caller's handles do not narrow them."""
    groups = {*NAMES, "embed", "searxng-search"}
    allowed = {group for group in groups if RULE.attempt(asked, group, caller) == Allow()}
    assert allowed == LEADS[asked]


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: f"{caller.name}-{caller.handles is not None}")
def test_an_attempt_of_a_request_that_nobody_saw_goes_to_served_names_only(caller: Caller) -> None:
    """Without a name that pre-call has allowed there are no fallbacks to follow."""
    allowed = {group for group in [*NAMES, "embed"] if RULE.attempt(None, group, caller) == Allow()}
    assert allowed == RULE.served(caller)


@given(asked=st.none() | st.text() | st.sampled_from(sorted(NAMES)), caller=st.sampled_from(CALLERS))
def test_an_attempt_without_a_deployment_is_refused(asked: str | None, caller: Caller) -> None:
    """A deployment of unknown group is nobody's handle."""
    decision = RULE.attempt(asked, None, caller)
    assert isinstance(decision, Refuse)
    assert decision.type == "model_not_found"


GROUPS = [f"g{number}" for number in range(6)]
CHAINS = st.dictionaries(st.sampled_from(GROUPS), st.lists(st.sampled_from(GROUPS), min_size=1), max_size=5)


def with_fallbacks(fallbacks: Mapping[str, list[str]], default: list[str]) -> Showroom:
    """A showroom of six handles with these fallbacks."""
    lines = "".join(f"  - {{model_name: {name}, litellm_params: {{model: openai/x}}}}\n" for name in GROUPS)
    chain = [{source: targets} for source, targets in fallbacks.items()]
    return showroom(
        f"homelab: {{showroom: {{handles: {GROUPS}}}}}\nmodel_list:\n{lines}"
        f"router_settings: {{fallbacks: {chain}, default_fallbacks: {default}}}\n"
        "litellm_settings: {callbacks: [litellm_homelab.plugin]}\n"
    )


@given(
    fallbacks=CHAINS,
    default=st.lists(st.sampled_from(GROUPS), max_size=2),
    asked=st.sampled_from(GROUPS),
    walk=st.lists(st.integers(0, 5), max_size=6),
)
def test_every_walk_along_the_fallbacks_is_allowed_and_nothing_else(
    fallbacks: dict[str, list[str]], default: list[str], asked: str, walk: list[int]
) -> None:
    """Any chain, with loops: allowed is exactly what some walk from the name asked for comes to."""
    rule = with_fallbacks(fallbacks, default)
    seen, here = {asked}, asked
    while True:
        more = {target for name in seen for target in [*fallbacks.get(name, ()), *default]} - seen
        if not more:
            break
        seen |= more
    assert {group for group in [*GROUPS, "back"] if rule.attempt(asked, group, CLIENT) == Allow()} == seen
    for step in walk:
        targets = [*fallbacks.get(here, ()), *default]
        here = targets[step % len(targets)] if targets else here
        assert rule.attempt(asked, here, NARROW) == Allow()


# --- size ----------------------------------------------------------------------------------------------


def many(count: int) -> Showroom:
    """A showroom of `count` handles."""
    names = tuple(f"h{number}" for number in range(count))
    modes = dict.fromkeys(names, "chat")
    reachable = {name: frozenset({name, "h0"}) for name in names}
    return Showroom(names, frozenset(), frozenset(), modes, reachable, frozenset())


def seconds(rule: Showroom) -> float:
    """The best of some runs over good and bad names and attempts."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(300):
            rule.request("acompletion", "h5", (), CLIENT)
            rule.request("acompletion", "nowhere", (), CLIENT)
            rule.attempt("h5", "h5", CLIENT)
            rule.attempt("h5", "h6", CLIENT)
        best = min(best, time.perf_counter() - start)
    return best


def test_a_decision_takes_as_long_with_many_handles_as_with_few() -> None:
    """Ten thousand handles, a thousand times as many, cost a decision less than five times the time."""
    assert seconds(many(10_000)) < 5 * seconds(many(10))


def test_a_refusal_lists_some_handles_and_says_how_many_more_there_are() -> None:
    """The message stays readable."""
    decision = many(100).request("acompletion", "nowhere", (), CLIENT)
    assert isinstance(decision, Refuse)
    assert decision.message.endswith(f"h{SHOWN - 1} and 60 more (GET /v1/models).")
