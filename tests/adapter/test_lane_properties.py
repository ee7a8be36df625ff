"""Laws of the lane: no body of any shape breaks a rule, gets a tag or an unknown field out, or is changed."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from litellm.types.utils import all_litellm_params

from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.optillm import optillm_fields
from litellm_homelab.adapter.policies.fields import RequestFields
from litellm_homelab.adapter.policies.request_opening import CALLER_KEY, RequestOpening
from litellm_homelab.config.sections import Lane
from litellm_homelab.decision import Refuse
from litellm_homelab.fields.rule import Fields
from litellm_homelab.optillm import tags, wire
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.lanes import Lanes
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.optillm.parameters import RELATIVES
from litellm_homelab.testing import MockProxy
from tests.adapter.lane import TEXT, document, group, proxy_on

IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")

ALLOWED = ["none", "re2", "moa", "majority_voting", "mcts", "spl"]
MAX_N = 2
TAG = "<optillm_approach>executecode</optillm_approach>"
STEERING = sorted({*all_litellm_params, "client", "deployment", "model_group", "specific_deployment"})
"""Names that LiteLLM reads itself; the gateway refuses nearly all of them."""
OTHERS = sorted(
    {*wire.FIELD_NAMES, "prompt", "input", "contents", "system", "instructions", "suffix", "text", "unknown"}
    - {"extra_headers", "extra_query", "headers", "timeout", "api_key", "model", "messages"}
)
"""Names of every kind that are let in."""
SENDABLE = {*wire.ALWAYS, *wire.PASSED_ON, *RELATIVES, "n", "prompt"}

WORDS = st.sampled_from(
    [TAG, "<optillm_", "approach>moa", "moa", "re2&moa", f"base{MARKER}x", "boost", "hello"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(-1, 3) | st.text(max_size=6) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "text", "type", "function", "model", "n"]) | WORDS,
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant", "tool", "developer"]), "content": JSON}
)
EXTRA = st.dictionaries(st.sampled_from(OTHERS), JSON, max_size=5)
STEERED = st.integers(0, 3).flatmap(
    lambda drawn: st.dictionaries(st.sampled_from(STEERING), JSON, max_size=0 if drawn else 2)
)
BODIES = st.builds(
    lambda extra, steered, inner, own: {
        **extra,
        **steered,
        **({"extra_body": inner} if inner else {}),
        **own,
    },
    EXTRA,
    STEERED,
    EXTRA | st.just({}),
    st.fixed_dictionaries(
        {},
        optional={"optillm_approach": st.sampled_from([*ALLOWED, "re2&moa", "nope"]), "n": JSON},
    ),
)
"""Any fields, LiteLLM's, OpenAI's and OptiLLM's own most of all, with any values."""


# --- through the mocked proxy ------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """A model server, an OptiLLM handle that refuses tags, and one that makes them inert."""
    lane = {"approaches": ALLOWED, "max_calls": 200, "max_n": MAX_N}
    made = document(
        [group("main"), group("base"), group("boost", "openai/base"), group("soft", "lm_studio/base")],
        {"boost": lane, "soft": {**lane, "tags": "neutralise", "default": "re2"}},
    )
    async with proxy_on(tmp_path_factory.mktemp("config"), made) as running:
        yield running


ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/completions": {"prompt": "hello"},
}
OWN_PROMPT = st.none() | st.lists(MESSAGE, min_size=1, max_size=3) | WORDS
SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@IN_THE_LOOP
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("path", ROUTES)
@SETTINGS
@given(
    body=BODIES, prompt=OWN_PROMPT, handle=st.sampled_from(["boost", "soft", "main"]), stream=st.booleans()
)
@example(body={"tools": [{"type": ["x"]}]}, prompt=None, handle="boost", stream=False)
@example(body={"logit_bias": {TAG: 1}}, prompt=None, handle="boost", stream=False)
@example(body={"max_tokens": TAG}, prompt=None, handle="soft", stream=False)
@example(
    body={"extra_body": {"messages": TAG}},
    prompt=[{"role": "user", "content": TAG}],
    handle="soft",
    stream=True,
)
async def test_no_body_breaks_a_rule_or_gets_out(
    proxy: MockProxy, path: str, body: dict[str, Any], prompt: Any, handle: str, stream: bool
) -> None:
    """Whatever is sent: refused, or answered with nothing but allowed fields on the wire, free of tags."""
    own = {"model": handle, **({"stream": True} if stream else {})}
    text = {
        name: prompt if prompt is not None and name != "max_tokens" else value
        for name, value in ROUTES[path].items()
    }
    answer = await proxy.post(path, {**body, **text, **own})
    assert answer.status != 503, answer.text
    assert "policy_error" not in answer.text
    for sent_to, sent in zip(answer.sent_to, answer.wire, strict=True):
        assert sent_to == handle
        if handle == "main":
            assert RELATIVES.isdisjoint(sent)
            continue
        assert sent.keys() <= SENDABLE
        assert tags.find(sent) is None
        assert set(sent.get("optillm_approach", "none").replace("|", "&").split("&")) <= set(ALLOWED)
        assert sent.get("n", 1) <= MAX_N
        assert sent["model"].startswith(f"base{MARKER}")


# --- straight at the rules ---------------------------------------------------------------------------

LANES = Lanes(
    {
        "boost": Lane(approaches=ALLOWED, prefixes=True, max_calls=200, max_n=MAX_N),
        "soft": Lane(approaches=ALLOWED, tags="neutralise", default="re2", max_calls=200),
    }
)
FIELDS = RequestFields(Fields({}, extra=RELATIVES))
OPENING = RequestOpening(LANES, "the-secret-of-this-test", None, {}, Deployments(lambda: None), FIELDS)
MODELS = (
    WORDS | JSON | st.sampled_from(["moa-boost", "re2&moa-boost", f"boost{MARKER}{'a' * 56}", "-", "moa-"])
)


@settings(max_examples=150, deadline=None)
@given(body=BODIES | JSON, model=MODELS, metadata=JSON)
async def test_opening_a_request_changes_its_name_and_nothing_else(
    body: Any, model: Any, metadata: Any
) -> None:
    """A mark or a prefix comes off the model's name; every other field is as it was, whatever its shape."""
    server = {"body": copy.deepcopy(body), "url": "http://x/v1/chat/completions", "headers": {}}
    data: dict[str, Any] = {"model": model, "proxy_server_request": server, "metadata": metadata}
    before = copy.deepcopy(data)
    who = SimpleNamespace(
        metadata={key: value for key, value in _dict(metadata).items() if key != CALLER_KEY}
    )
    with context.request("/v1/chat/completions") as record:
        if isinstance(model, str) and MARKER in model:  # each of them is made up
            with pytest.raises(Refused) as caught:
                await OPENING.open(record, data, who)
            assert MARKER not in caught.value.message
            return
        await OPENING.open(record, data, who)
    assert {**data, "model": None} == {**before, "model": None}
    assert record.fields == (body if isinstance(body, dict) else data)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


DEPLOYMENT = {
    "api_key": "sk-upstream",
    "api_base": "http://127.0.0.1:9/v1",
    "timeout": 60,
    "drop_params": False,
}


@settings(max_examples=150, deadline=None)
@given(
    body=BODIES,
    plumbing=EXTRA,
    approach=st.sampled_from(ALLOWED).map(lambda name: Approach("single", (name,))),
)
def test_an_attempt_at_optillm_has_known_fields_only(
    body: dict[str, Any], plumbing: dict[str, Any], approach: Approach
) -> None:
    """Of the client's fields those of the request, within bounds; of the others what the deployment says."""
    kwargs = {**plumbing, **DEPLOYMENT, "model": "openai/base", "messages": TEXT, **body}
    before = copy.deepcopy((kwargs, body))
    made, _ = optillm_fields.reduced(kwargs, wire.HandleLimits(max_n=MAX_N), approach, body, DEPLOYMENT)
    assert (kwargs, body) == before
    own = made.pop("extra_body", {})
    assert own.keys() <= RELATIVES
    assert RELATIVES.isdisjoint(made)
    assert own.get("optillm_approach") == (None if approach.is_none else approach.text)
    for name in made.keys() & body.keys():
        assert (
            name in {*wire.ALWAYS, *wire.PASSED_ON, "n", *optillm_fields.LITELLMS_OWN}
            or made[name] == DEPLOYMENT[name]
        )
    assert made.keys().isdisjoint(wire.NEVER)


@settings(max_examples=150, deadline=None)
@given(body=BODIES, handle=st.sampled_from(["boost", "soft"]), prefix=st.none() | WORDS)
def test_an_approach_is_decided_or_refused(body: dict[str, Any], handle: str, prefix: str | None) -> None:
    """Whatever the body says of it: one of the listed ones within the limit, or a refusal."""
    record = context.RequestContext(fields=body, prefix=prefix)
    before = copy.deepcopy(body)
    run = LANES.decide(handle, optillm_fields.asked(record), record.fields)
    assert isinstance(run, Refuse) or set(run.approach.parts) <= set(ALLOWED)
    assert body == before
