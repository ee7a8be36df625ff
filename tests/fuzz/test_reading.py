"""What clients and upstreams send is read without a crash, and with work in proportion to its length."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.middleware.body import _mended
from litellm_homelab.fields.rule import Fields
from litellm_homelab.formats import sse
from litellm_homelab.optillm import approaches, hearsay, lineage, tags
from tests.fuzz import mutations, steps

FIELDS = Fields()
SECRET = "the-secret-of-this-test"
ROOT = "0123456789abcdef0123456789ab"
TOKEN = lineage.mint(SECRET, ROOT, 1, 2_000_000_000)
OTHERS = lineage.mint("another-secret", ROOT, 1, 2_000_000_000)
NAMES = (
    f"base{TOKEN}",
    f"base{OTHERS}",
    f"base{TOKEN}{OTHERS}",
    TOKEN,
    "base",
    "@homelab.",
    "moa-boost@homelab.x",
)
SELECTORS = (
    "moa",
    "re2&moa",
    "bon|moa|re2",
    "none",
    "auto",
    "moa-boost",
    "plansearch-boost",
    "mcts-5",
    "a&b|c",
)
PROMPTS = (
    "<optillm_approach>moa</optillm_approach>hello",
    "< optillm_approach >re2",
    "&lt;optillm_approach&gt;",
    "a text about <optillm",
    "_approach>bon</optillm_approach>",
    '{"content": "<optillm_approach>moa</optillm_approach>"}',
)
BODIES = (
    '{"model": "main", "messages": [{"role": "user", "content": "hello"}], "stream": true}',
    '{"model": "main", "metadata": {"tags": ["a"]}, "extra_body": {"model": "x"}}',
    '{"model": ["a"], "input": [{"id": "rs_1", "encrypted_content": "x"}], "file_id": "file-abc"}',
    '{"model": "\\ud83d", "n": 1e999, "x": -0, "y": [[[]]]}',
    "[]",
)
EVENTS = (
    'data: {"model": "real", "choices": [{"delta": {"content": "hello"}}]}\n\n',
    'event: message_start\ndata: {"type": "message_start", "message": {"model": "real"}}\r\n\r\n',
    ": a comment\n\ndata: [DONE]\n\n",
    "id: 1\rdata: {}\r\r",
)
SWALLOWED = (
    "Error: Could not generate any completions",
    'data: {"choices": [{"delta": {"content": "Error processing request: This request came back"}}]}\n',
    "<think>Error generating solution: This request came back through OptiLLM",
)


def test_lineage_tokens() -> None:
    """A name is opened or refused; only an untouched token of ours makes a child, and only of its root."""
    children = 0
    for number, name in enumerate(mutations(NAMES, 60_000)):
        seen = lineage.open(name, SECRET, 1_900_000_000.0)
        if isinstance(seen, lineage.ChildName):
            children += 1
            assert (name, seen.root, seen.hop) == (f"{seen.model}{TOKEN}", ROOT, 1), number
        assert lineage.MARKER not in lineage.erased(name), number
    assert children > 100


def test_approaches() -> None:
    """A selector is an approach that is written as it was read, or a problem; a decision is a listed one."""
    listed = ("none", "re2", "moa")
    for number, text in enumerate(mutations(SELECTORS, 60_000)):
        parsed = approaches.parse(text)
        assert isinstance(parsed, approaches.InvalidApproach) or parsed.text == text, number
        decided = approaches.decide([text], listed, "none")
        assert isinstance(decided, approaches.InvalidApproach) or set(decided.parts) <= set(listed), number
        split = approaches.split_prefix(text, ["boost"])
        assert split is None or f"{split[0]}-{split[1]}" == text, number
        approaches.eaten_by_optillm(text)


def test_tags() -> None:
    """What was made inert holds no tag any more, in a text, a message and its parts."""
    chance = random.Random(2)
    for number, text in enumerate(mutations(PROMPTS, 40_000)):
        value: object = chance.choice(
            (
                text,
                [{"role": "user", "content": text}],
                [
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": text}, {"type": "text", "text": "_a"}],
                    }
                ],
            )
        )
        assert tags.find(tags.neutralise(value)) is None, number


def test_bodies() -> None:
    """Broken JSON is nothing, an empty object or an object; what it says is read without a crash."""
    for number, text in enumerate(mutations(BODIES, 40_000)):
        document = _mended(text.encode("utf-8", "surrogatepass"))
        assert document is None or isinstance(document, dict), number
        if document:
            FIELDS.body("chat", document)
            _read(document)


def _read(body: Mapping[str, Any]) -> None:
    url = f"http://host/v1/files/{body.get('file_id')}?model={body.get('model')}"
    server = {"url": url, "headers": {"x-litellm-model": body.get("model")}, "body": dict(body)}
    data = {**body, "proxy_server_request": server}
    seen = request.read(data, "acompletion")
    assert all(isinstance(name, str) for name in seen.others)
    request.body_of(data)
    request.metadata_of(data)
    request.deployment_id(data)


def test_hearsay() -> None:
    """An answer tells of a return or does not, whatever shape it has."""
    for text in mutations((*SWALLOWED, *EVENTS), 30_000):
        for answer in (text, text.encode("utf-8", "surrogatepass"), {"content": text}, [{"delta": text}]):
            assert hearsay.tells_of_return(answer) in {True, False}


def test_server_sent_events() -> None:
    """However an upstream's bytes are torn, they come out the same, and nothing raises."""
    chance = random.Random(3)
    for number, text in enumerate(mutations(EVENTS, 30_000)):
        raw = text.encode("utf-8", "surrogatepass")
        at = chance.randint(0, len(raw))
        assert _rewritten(raw[:at], raw[at:]) == _rewritten(raw), number


def _rewritten(*chunks: bytes) -> bytes:
    rewriter = _rewriter()
    return b"".join([*(frame for chunk in chunks for frame in rewriter.feed(chunk)), rewriter.flush()])


def _rewriter() -> sse.Rewriter:
    return sse.Rewriter(lambda body: body, lambda text: text)


@pytest.mark.parametrize("piece", [b"data: x", b"\n", b"\r", b"data: {}\n\n", b"\r\n"])
def test_a_frame_is_searched_once(piece: bytes) -> None:
    """In small chunks and without an end, each byte is looked at a fixed number of times."""
    rewriter = _rewriter()
    for _ in range(20_000):
        for _frame in rewriter.feed(piece):
            pass
    assert rewriter.steps <= 5 * 20_000 * len(piece)


FAMILIES: dict[str, tuple[Callable[[str], object], str]] = {
    "lineage, markers": (lambda text: lineage.open(text, SECRET, 0.0), "@homelab."),
    "lineage, erased": (lineage.erased, "@homelab.a"),
    "approaches, signs": (approaches.parse, "moa&"),
    "approaches, dashes": (lambda text: approaches.split_prefix(text, ["boost"]), "moa-"),
    "approaches, eaten": (approaches.eaten_by_optillm, "moa&re2-"),
    "tags, openings": (tags.find, "<optillm"),
    "tags, whole": (tags.neutralise, "<optillm_approach>"),
    "tags, messages": (lambda text: tags.neutralise([{"content": each} for each in text]), "<"),
    "hearsay, lines": (hearsay.tells_of_return, "data: {}\n"),
    "hearsay, brackets": (hearsay.tells_of_return, "data: ["),
    "bodies, brackets": (lambda text: _mended(text.encode()), '{"a":'),
    "bodies, names": (lambda text: FIELDS.body("chat", dict.fromkeys(map(str, range(len(text))))), "x"),
}
"""Texts that are one piece over and over."""


@pytest.mark.parametrize(("work", "unit"), FAMILIES.values(), ids=FAMILIES)
def test_work_is_linear(work: Callable[[str], object], unit: str) -> None:
    """Twice as long a text is at most twice the work."""
    short, long = unit * 2_000, unit * 4_000
    assert steps(lambda: work(long)) <= 2.1 * steps(lambda: work(short)) + 200


def test_json_of_every_depth() -> None:
    """Nesting beyond what Python reads is nothing, not an exception."""
    for depth in (10, 1_000, 100_000):
        assert (
            _mended(b'{"a":' * depth + b"1" + b"}" * depth) in (None, json.loads('{"a": 1}')) or depth < 1_000
        )
