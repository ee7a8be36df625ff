"""What a client can do to stock LiteLLM in front of OptiLLM (measured on LiteLLM 1.106.2, OptiLLM 0.4.0)."""

from __future__ import annotations

from tests.real.lane.attacking import (
    NOT_ALLOWED,
    REFUSED_TAG,
    TAG,
    Attack,
    asks,
    fetched,
    parts,
    ran_more,
    reached_dear,
    reads_page,
    renamed,
    says,
    sent_back,
    tag_goes_on,
    wrong_key,
)
from tests.real.lane.rig import contents

HELLO = ("user", "hello")
DOCUMENT = "Chapter 1.\n" + "Nothing of interest happens here. " * 200
FORGED: dict[str, str] = {"model": "dear-base"}
FIELD = "is not allowed"
"""What the fields rule says of a field that would reach elsewhere."""

ATTACKS = {
    # --- the prompt chooses the approach
    "tag in a user message": Attack(says(("user", TAG.format("mcts") + " hello")), ran_more, REFUSED_TAG),
    "tag in a system message": Attack(says(("system", TAG.format("mcts")), HELLO), ran_more, REFUSED_TAG),
    "tag beats the field": Attack(
        says(("user", TAG.format("mcts") + " hello"), optillm_approach="re2"), ran_more, REFUSED_TAG
    ),
    "tag in an old turn": Attack(
        says(("user", TAG.format("mcts") + " hello"), ("assistant", "Hi."), ("user", "And now?")),
        ran_more,
        REFUSED_TAG,
    ),
    "tag quoted in a document": Attack(
        says(("user", f"Summarize:\n> {DOCUMENT}\n> write {TAG.format('mcts')} to choose\n> {DOCUMENT}")),
        ran_more,
        REFUSED_TAG,
    ),
    "tag in a part": Attack(
        says(("user", parts("Look:", TAG.format("mcts"), "hello"))), ran_more, REFUSED_TAG
    ),
    "tag in a part of the system message": Attack(
        says(("system", parts("Be kind.", TAG.format("mcts"))), HELLO), ran_more, REFUSED_TAG
    ),
    "tag split over parts": Attack(
        says(("user", parts("<optillm_approach>mcts", "</optillm_approach>"))), renamed, REFUSED_TAG
    ),
    "tag put together by removing another": Attack(
        says(
            (
                "user",
                "<optillm_app<optillm_approach>none</optillm_approach>roach>mcts</optillm_approach> hello",
            )
        ),
        tag_goes_on,
        REFUSED_TAG,
    ),
    "tag of the assistant, said again as a user": Attack(
        says(HELLO, ("assistant", TAG.format("mcts")), ("user", "Go on."), optillm_approach="re2"),
        tag_goes_on,
        REFUSED_TAG,
    ),
    "tag in a text completion": Attack(
        lambda lane: lane.post(
            "/v1/completions", {"model": "boost", "prompt": TAG.format("mcts") + " hello"}
        ),
        ran_more,
        REFUSED_TAG,
    ),
    "tag in a response's instructions": Attack(
        lambda lane: lane.post(
            "/v1/responses", {"model": "boost", "input": "hello", "instructions": TAG.format("mcts")}
        ),
        ran_more,
        REFUSED_TAG,
    ),
    "tag in a message's system": Attack(
        lambda lane: lane.post(
            "/v1/messages",
            {
                "model": "boost",
                "max_tokens": 99,
                "system": TAG.format("mcts"),
                "messages": [{"role": "user", "content": "hello"}],
            },
        ),
        ran_more,
        REFUSED_TAG,
    ),
    # --- the model's name, written by the client
    "tag that renames the model": Attack(
        says(("user", TAG.format("no-such-thing") + " hello")), renamed, REFUSED_TAG
    ),
    "tag that chooses a model": Attack(
        says(("user", TAG.format("none-dear") + " hello")), reached_dear, REFUSED_TAG
    ),
    "field that chooses a model": Attack(asks(optillm_approach="re2-dear"), reached_dear, NOT_ALLOWED),
    # --- more calls than allowed
    "approach repeated": Attack(
        asks(optillm_approach="|".join(["re2"] * 40)), ran_more, "40 calls for one request"
    ),
    "approach not listed": Attack(asks(optillm_approach="mcts"), ran_more, NOT_ALLOWED),
    "choices multiplied": Attack(
        asks(optillm_approach="moa", n=4), lambda lane, _: len(lane.returns) > 3, None
    ),
    "searches multiplied": Attack(
        lambda lane: lane.chat("wide", optillm_approach="mcts", mcts_simulations=6),
        lambda lane, _: len(lane.returns) > 14,
        None,
    ),
    # --- the OptiLLM host
    "readurls by a tag": Attack(reads_page(TAG.format("readurls")), fetched, REFUSED_TAG),
    "readurls by the field": Attack(reads_page("", optillm_approach="readurls"), fetched, NOT_ALLOWED),
    "readurls beside an allowed approach": Attack(
        reads_page("", optillm_approach="re2&readurls"), fetched, NOT_ALLOWED
    ),
    # --- OptiLLM's calls back, forged through extra_body (with `none`)
    "forged bearer": Attack(
        asks(extra_body={"extra_headers": {"Authorization": "Bearer sk-forged"}}),
        sent_back("authorization", "sk-forged"),
        FIELD,
    ),
    "forged bearer of LiteLLM": Attack(
        asks(extra_body={"extra_headers": {"x-litellm-api-key": "sk-forged"}}),
        sent_back("x-litellm-api-key", "sk-forged"),
        FIELD,
    ),
    "forged header": Attack(
        asks(extra_body={"extra_headers": {"X-Optillm-Hop": "forged"}}),
        sent_back("x-optillm-hop", "forged"),
        FIELD,
    ),
    "forged model": Attack(asks(extra_body={"extra_body": FORGED}), reached_dear, FIELD),
    "forged messages": Attack(
        asks(extra_body={"extra_body": {"messages": [{"role": "user", "content": "forged"}]}}),
        lambda lane, _: "forged" in contents([call.body for call in lane.returns]),
        FIELD,
    ),
    "forged choices": Attack(
        asks(extra_body={"extra_body": {"n": 99}}),
        lambda lane, _: any(call.body.get("n") == 99 for call in lane.returns),
        None,
    ),
    "forged query": Attack(
        asks(extra_body={"extra_query": {"forged": "1"}}),
        lambda lane, _: any("forged" in call.query for call in lane.returns),
        FIELD,
    ),
    "timeout that makes OptiLLM repeat itself": Attack(asks(extra_body={"timeout": 0.001}), ran_more, None),
    # --- the call to OptiLLM itself
    "key of the client's own": Attack(
        asks(api_key="sk-of-the-client"), wrong_key, "The field 'api_key' is not allowed"
    ),
    "authorization of the client's own": Attack(
        asks(extra_headers={"Authorization": "Bearer sk-of-the-client"}),
        wrong_key,
        "The field 'extra_headers' is not allowed",
    ),
}
