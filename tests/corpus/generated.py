"""Cases that a loop writes better than a hand: spellings of a name, and bodies of odd shapes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from urllib.parse import quote

from tests.corpus.case import DEFAULTS, Case

NAMES = ("back", "rung", "plain")
"""A backroom name, an internal one, and a handle that is not the client's."""
LOOKALIKES = str.maketrans({"a": "\u0430", "c": "\u0441", "e": "\u0435", "i": "\u0131", "p": "\u0440"})
ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad")
BLANKS = (" ", "\t", "\n", "\r", "\u00a0", "\u3000", "\x00", "/", ",", "#", "%20")
CHAT = "/v1/chat/completions"
TEXT = DEFAULTS["chat"]
PARTS = 2000
"""`homelab.limits.parts` where the file does not say."""
CLIENT_ERROR = (400, 404, 413, 422)


def cases() -> list[Case]:
    """All of them; their number is counted apart from the hand-written ones."""
    made = [
        *_of("name", _spellings()),
        *_of("reading", chain(_paths(), _twice(), _types(), _shapes())),
        *_of("limit", _large()),
    ]
    assert len({case.id for case in made}) == len(made)
    return made


def _of(kind: str, cases: Iterable[Case]) -> Iterator[Case]:
    return (replace(case, kind=kind) for case in cases)


def _case(name: str, path: str, content: bytes, status: tuple[int, ...], refusal: str | None = None) -> Case:
    head = {"content-type": "application/json"}
    return Case(f"made-{name}", name, "generated", "client", "POST", path, status, refusal, content, head)


def spellings(name: str) -> Iterator[tuple[str, str]]:
    """Other ways to write a name, each with what was done to it."""
    yield "upper", name.upper()
    yield "title", name.title()
    yield "mixed", "".join(c.upper() if n % 2 else c for n, c in enumerate(name))
    yield "look-alike", name.translate(LOOKALIKES)
    yield "full width", "".join(chr(ord(c) + 0xFEE0) for c in name)
    yield "combining", name + "\u0301"
    for mark in ZERO_WIDTH:
        yield f"zero width {ord(mark):x} inside", name[:2] + mark + name[2:]
        yield f"zero width {ord(mark):x} behind", name + mark
    for blank in BLANKS:
        yield f"{blank!r} before", blank + name
        yield f"{blank!r} behind", name + blank
    yield "itself", name


def _spellings() -> Iterator[Case]:
    for name in NAMES:
        for what, written in spellings(name):
            body = json.dumps({"model": written, **TEXT}).encode()
            yield _case(f"{name} {what}", CHAT, body, (400, 404))


def _paths() -> Iterator[Case]:
    body = json.dumps({**TEXT, "model": "main"}).encode()
    for name in NAMES:
        full = "".join(f"%{ord(c):02X}" for c in name)
        for what, written in (("encoded", full), ("twice", quote(full)), ("dot", f"x%2F..%2F{name}")):
            for form in ("/engines/{}/chat/completions", "/openai/deployments/{}/chat/completions"):
                yield _case(f"{form.format(name)} {what}", form.format(written), body, (400, 403, 404))
            yield _case(f"?model={name} {what}", f"{CHAT}?model={written}", body, (400, 404))


def _twice() -> Iterator[Case]:
    for name in NAMES:
        for key in ("model", "\\u006dodel", "mod\\u0065l"):
            raw = f'{{"model": "main", "messages": [], "{key}": "{name}"}}'
            yield _case(f"{name} twice as {key}", CHAT, raw.encode(), (400,), "invalid_request_error")
    for field in ("fallbacks", "deployment_id", "api_key"):
        escaped = f"\\u{ord(field[0]):04x}{field[1:]}"
        raw = f'{{"model": "main", "messages": [], "{escaped}": ["back"]}}'
        yield _case(f"{field} escaped", CHAT, raw.encode(), (400,), "param_not_allowed")
        raw = f'{{"{field}": 1, "model": "main", "messages": [], "{field}": null}}'
        yield _case(f"{field} twice", CHAT, raw.encode(), (400,), "param_not_allowed")


def _types() -> Iterator[Case]:
    for value in (None, 0, 1.5, True, [], ["back"], {}, {"id": "back"}, [["back"]]):
        body = json.dumps({"model": value, **TEXT}).encode()
        yield _case(f"model is {json.dumps(value)}", CHAT, body, CLIENT_ERROR)
        steered = json.dumps({"model": "main", **TEXT, "fallbacks": value}).encode()
        yield _case(f"fallbacks is {json.dumps(value)}", CHAT, steered, (400,), "param_not_allowed")


def _shapes() -> Iterator[Case]:
    for what, raw in (
        ("list", b"[1,2]"),
        ("text", b'"x"'),
        ("null", b"null"),
        ("number", b"5"),
        ("true", b"true"),
        ("cut off", b'{"model": "main"'),
        ("comma", b'{"model": "main",}'),
        ("not UTF-8", b'{"model": "\xff\xfe"}'),
        ("NUL in the text", b'{"model": "main\x00"}'),
        ("deep arrays", b'{"model": "main", "messages": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        ("deep objects", b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
        ("huge number", b'{"model": ' + b"9" * 5_000 + b"}"),
        ("huge name", b'{"model": "' + b"m" * 100_000 + b'", "messages": []}'),
    ):
        yield _case(f"body: {what}", CHAT, raw, CLIENT_ERROR)


def _large() -> Iterator[Case]:
    large = b'{"model": "main", "pad": "' + b"x" * (2 * 2**20) + b'"}'
    # The rest of such a body is not read, so a client may see the connection close before the answer.
    yield _case("body: over the limit", CHAT, large, (413, 0))
    for method, path in (
        ("GET", "/v1/models"),
        ("DELETE", "/v1/files/file-x"),
        ("PUT", CHAT),
        ("PATCH", CHAT),
    ):
        for caller in ("client", "nobody"):
            case = _case(f"body: over the limit, {method} as {caller}", path, large, (413, 0))
            yield replace(case, method=method, caller=caller)
    form = replace(
        _case(
            "form: over the limit", "/v1/audio/transcriptions", b"model=main&x=" + b"x" * len(large), (413, 0)
        ),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    yield form
    many = [{"role": "user", "content": "x"}] * (PARTS + 1)
    parts = [{"role": "user", "content": [{"type": "text", "text": "x"}] * (PARTS + 1)}]
    for what, messages in (("messages", many), ("parts", parts)):
        content = json.dumps({"model": "main", "messages": messages}).encode()
        yield _case(f"too many {what}", CHAT, content, (400,), "invalid_request_error")
