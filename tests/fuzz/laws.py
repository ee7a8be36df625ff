"""What must hold of every parser, whatever it is given: one function for each, for one text."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from litellm_homelab.access import limits
from litellm_homelab.access.callers import Caller
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.middleware import model_names
from litellm_homelab.adapter.middleware.body import _mended
from litellm_homelab.adapter.middleware.forms import FormReader
from litellm_homelab.adopt import edits
from litellm_homelab.advisories import versions
from litellm_homelab.answers import redaction, unsupported
from litellm_homelab.attempts import hops
from litellm_homelab.check.run import CheckRequest, check_file
from litellm_homelab.cli import environment
from litellm_homelab.fields import addresses
from litellm_homelab.fields.rule import Fields
from litellm_homelab.formats import columns, encoded_ids, sse, token_counts
from litellm_homelab.optillm import approaches, hearsay, lineage, tags
from litellm_homelab.page import facts, sessions
from litellm_homelab.quotas import bodies, durations, headers
from litellm_homelab.state import account, entry, pool
from litellm_homelab.timeouts import reading

NOW = 1_764_115_200.0
FIELDS = Fields()
SECRET = "the-secret-of-this-test"
ROOT = "0123456789abcdef0123456789ab"
TOKEN = lineage.mint(SECRET, ROOT, 1, 2_000_000_000)
CLAIMS = f"{int(NOW) + sessions.SECONDS}.{'0a' * 16}"
COOKIE = f"{CLAIMS}.{sessions._signature(SECRET, CLAIMS, 'digest')}"
LISTED = ("none", "re2", "moa")
ROUTER = Path("router.yaml")


def as_bytes(text: str) -> bytes:
    """A text as it could arrive."""
    return text.encode("utf-8", "surrogatepass")


def token(name: str) -> None:
    """Only an untouched token of ours makes a child, and only of its root; no marker is left afterwards."""
    seen = lineage.open(name, SECRET, 1_900_000_000.0)
    if isinstance(seen, lineage.ChildName):
        assert (name, seen.root, seen.hop) == (f"{seen.model}{TOKEN}", ROOT, 1)
    assert lineage.MARKER not in lineage.erased(name)


def approach(text: str) -> None:
    """A selector is an approach that is written as it was read, or a problem; a decision is a listed one."""
    parsed = approaches.parse(text)
    assert isinstance(parsed, approaches.InvalidApproach) or parsed.text == text
    decided = approaches.decide([text], LISTED, "none")
    assert isinstance(decided, approaches.InvalidApproach) or set(decided.parts) <= set(LISTED)
    split = approaches.split_prefix(text, ["boost"])
    assert split is None or f"{split[0]}-{split[1]}" == text
    approaches.eaten_by_optillm(text)


def tag(text: str) -> None:
    """What was made inert holds no tag any more, in a text, a message and its parts."""
    parts = [{"type": "text", "text": text}, {"type": "text", "text": "_a"}]
    for value in (text, [{"role": "user", "content": text}], [{"role": "user", "content": parts}]):
        assert tags.find(tags.neutralise(value)) is None


def body(text: str) -> None:
    """Broken JSON is nothing, an empty object or an object; what is small has nothing to refuse."""
    raw = as_bytes(text)
    document = _mended(raw)
    assert document is None or isinstance(document, dict)
    if not document:
        return
    for api in ("chat", "responses", "messages", "embeddings", "query"):
        assert {*FIELDS.body(api, document).kept} <= {*document}
    if limits.is_within(raw):
        assert limits.refusal(document, limits.PARTS) is None
    token_counts.countable(document)
    model_names.in_json(raw, document)
    _fields(document)


def _fields(document: dict[str, Any]) -> None:
    url = f"http://host/v1/files/{document.get('file_id')}?model={document.get('model')}"
    server = {"url": url, "headers": {"x-litellm-model": document.get("model")}, "body": dict(document)}
    data = {**document, "proxy_server_request": server}
    assert all(isinstance(name, str) for name in request.read(data, "acompletion").others)
    request.body_of(data)
    request.metadata_of(data)
    request.deployment_id(data)


def form(text: str) -> None:
    """A form in two pieces has the fields that it has in one; a broken one never raises."""
    raw = as_bytes(text)
    header = raw[:80].decode("latin-1")  # as the bytes of a header are read
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", header):
        found = []
        for pieces in ((raw,), (raw[: len(raw) // 2], raw[len(raw) // 2 :])):
            reader = FormReader(kind)
            for piece in pieces:
                reader.feed(piece)
            reader.end()
            found.append(reader.found)
        assert found[0] == found[1]


def names(text: str) -> None:
    """Every header and query name has a verdict; those that are kept were sent."""
    sent = text.lower().split("\n")
    assert {*FIELDS.headers(sent).kept} <= {*sent}
    assert {*FIELDS.query(sent).kept} <= {*sent}
    for one in sent:
        assert FIELDS.header(one) == FIELDS.header(one)


def heard(text: str) -> None:
    """An answer tells of a return or does not, whatever shape it has."""
    for answer in (text, as_bytes(text), {"content": text}, [{"delta": text}]):
        assert hearsay.tells_of_return(answer) in {True, False}


def events(text: str) -> None:
    """However an upstream's bytes are torn, they come out the same."""
    raw = as_bytes(text)
    assert _rewritten(raw[: len(raw) // 2], raw[len(raw) // 2 :]) == _rewritten(raw)


def _rewritten(*chunks: bytes) -> bytes:
    rewriter = sse.Rewriter(lambda found: found, lambda text: text)
    return b"".join([*(frame for chunk in chunks for frame in rewriter.feed(chunk)), rewriter.flush()])


def stream(text: str) -> None:
    """The units of a stream are the stream, byte for byte, unless it is of another format."""
    raw = as_bytes(text)
    for framing in reading.Format:
        reader = reading.Reader(framing)
        try:
            pieces = [*reader.feed(raw[: len(raw) // 2]), *reader.feed(raw[len(raw) // 2 :]), *reader.end()]
        except reading.WrongAnswer:
            continue
        assert b"".join(piece.raw for piece in pieces) == raw
    reading.is_streamed(text, raw)


def ids(text: str) -> None:
    """An id names models or none; one that was made opaque names none."""
    assert all(isinstance(name, str) for name in encoded_ids.names_in(text))
    assert encoded_ids.names_in(encoded_ids.opaque(text)) == ()


def quota_error(text: str) -> None:
    """An error of a provider says something or nothing; every moment in it is a number."""
    for status in (402, 429):
        for answer in (text, as_bytes(text)):
            found = bodies.read(status, answer, "groq", NOW)
            _are_moments(found.retry_at, *(one.until for one in found.observations))
    bodies.openrouter_key(text)


def quota_headers(text: str) -> None:
    """Headers of a provider, one a line: each moment is a number, and `retry-after` is later than now."""
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in text.split("\n"))]
    found = headers.read(pairs, "groq", (), NOW)
    _are_moments(*(one.until for one in found.observations))
    assert all(at > NOW for at in headers.retry_at(pairs, NOW))


def times(text: str) -> None:
    """A time is a number or nothing."""
    _are_moments(durations.seconds(text), durations.moment(text, NOW))


def _are_moments(*found: float | None) -> None:
    assert all(one is None or math.isfinite(one) for one in found)


def hop_header(text: str) -> None:
    """What was read is written as something that reads the same; a malformed header is refused."""
    seen = hops.read(text.split("\n"))
    if seen is not None:
        assert hops.read([hops.written(seen)]) == seen
    hops.decide(seen, ("a",), to_child=False)


def cookie(text: str) -> None:
    """No cookie but an untouched one opens the page."""
    owner = Caller(name="admin", role="admin")
    assert sessions.session(SECRET, text, [("digest", owner)], NOW) is None or text == COOKIE


def error_text(text: str) -> None:
    """An upstream's text is shortened and redacted; what was redacted has nothing left to redact."""
    words = redaction.Words()
    assert len(redaction.message(text, words)) <= redaction.LONGEST
    redaction.redacted(text, words)
    unsupported.readable(text)
    unsupported.is_advice(text)


def stored(text: str) -> None:
    """What a store holds is read, or is a ValueError: the cause `damaged`."""
    for read in (account.read, pool.read, facts.read):
        with suppress(ValueError):
            read(text)
    with suppress(ValueError):
        entry.read(text, "{}")
    with suppress(ValueError):
        entry.read("{}", text)


def env_file(text: str) -> None:
    """Variables, or EnvironmentFileError."""
    with suppress(environment.EnvironmentFileError):
        environment.parse(text, "env.local")


def checked(text: str) -> None:
    """A report, whose findings are printable and on a line of the file."""
    report = check_file(CheckRequest(ROUTER, text=text), {})
    assert all(found.message.isprintable() and found.line >= 1 for found in report.findings)


def edited(text: str) -> None:
    """An edit of a router.yaml is readable afterwards, or CannotEdit."""
    with suppress(edits.CannotEdit):
        edits.add_setting(text, "general_settings", "custom_auth", "x")
    with suppress(edits.CannotEdit):
        edits.add_callback(text, "x")
    with suppress(edits.CannotEdit):
        edits.set_model(text, 0, "openai/x")


def words(text: str) -> None:
    """Addresses, versions and columns: an answer for every text."""
    addresses.problem(text)
    addresses.of_a_tool_server(text)
    versions.ordered(text)
    assert columns.width(columns.cut(text, 20)) <= 20
    assert json.dumps(columns.cut(text, 5))
