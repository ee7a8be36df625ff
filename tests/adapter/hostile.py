"""Hostile requests: every place that a client writes to, each with a word of the client's in it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final
from urllib.parse import quote

from litellm_homelab.optillm.lineage import MARKER
from tests.adapter.lane import TEXT

CHAT: Final = "/v1/chat/completions"
TAG: Final = "<optillm_approach>moa</optillm_approach>"
NASTY: Final = (
    *("", " ", "\0", "\n", "\r\n", "\t", '"', "\\", "{}", ",", "=", ";", "|", "&", "%", "%00", "../", "$(x)"),
    *(
        'main",handle="x',
        "main\n# HELP x",
        "other ",
        "le",
        "__name__",
        "homelab_",
        "main ",
        "MAIN",
        "ma\u0456n",
    ),
    *("ünïcödé", "日本", "💥", "\u202e", "\ufeff", "\ud800", "e\u0301", "null", "None", "true", "NaN", "-1"),
    *("moa&", "re2|moa", "none-", "openai/real-main", "id-main-0", "main,boost", "base", MARKER, "<b>", TAG),
    *("x-litellm-model", "Bearer ", "sk-", "@homelab", "main@homelab.", "x" * 10_000),
)
"""Parts of hostile words: what breaks labels, headers, JSON and names, and almost what is configured."""
KNOWN: Final = (
    *("plain", "main", "boost", "base", "rung", "app", "optillm", "master", "other", "re2", "moa", "bon"),
    *("router", "temperature", "optillm_approach", "mcts_depth", "gate", "run", "id-main-0"),
    *(f"plain{MARKER}x", f"main{MARKER}x", TAG),
)
"""Words that are configured, or known, somewhere, to be used everywhere."""


def words(dice: random.Random) -> Iterator[str]:
    """Hostile words, none of them twice, and none that is configured."""
    number = 0
    while True:
        number += 1
        nasty = dice.choice(NASTY)
        yield dice.choice((f"{nasty}{number}", f"{number}{nasty}", f"{nasty}{number}{nasty}"))


def escaped(word: str) -> str:
    """A word as it may stand in a query, or in a header's name: servers take nothing else there."""
    return quote(word, safe="", errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class Made:
    """A request but for its key, and the names that OptiLLM calls back on its behalf."""

    body: object
    headers: Mapping[str, str]
    path: str = CHAT
    method: str = "POST"
    children: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def chat(handle: str, *, children: tuple[str, ...] = (), **fields: object) -> Made:
    """A chat request with more in its body."""
    return Made({"model": handle, "messages": TEXT, **fields}, {}, children=children)


def said(text: str) -> list[dict[str, str]]:
    """Messages with a text of the user's."""
    return [{"role": "user", "content": text}]


def headed(handle: str | None, headers: Mapping[str, str]) -> Made:
    """A chat request with more headers, and maybe without a model."""
    return Made({"messages": TEXT, **({"model": handle} if handle else {})}, headers)


def elsewhere(path: str, method: str = "POST") -> Made:
    """A request on another path."""
    return Made({"model": "main", "messages": TEXT}, {}, path, method)


KINDS: Final[Mapping[str, Callable[[str, str], Made]]] = {
    "name": lambda _, word: chat(word),
    "longer name": lambda handle, word: chat(handle + word),
    "prefix": lambda handle, word: chat(f"{word}-{handle}"),
    "mark": lambda handle, word: chat(handle + MARKER + word),
    "no text as a name": lambda _, word: Made({"model": [word], "messages": TEXT}, {}),
    "approach": lambda handle, word: chat(handle, optillm_approach=word),
    "approaches": lambda handle, word: chat(handle, optillm_approach=["re2", word]),
    "combined": lambda handle, word: chat(handle, optillm_approach=f"re2&{word}"),
    "extra": lambda handle, word: chat(handle, extra_body={word: word, "optillm_approach": word}),
    "field": lambda handle, word: Made(
        {"model": handle, "messages": TEXT, word + "_": word, f"mcts_{word}_": 1}, {}
    ),
    "steered": lambda handle, word: chat(handle, fallbacks=[word]),
    "prompt": lambda handle, word: chat(handle, messages=said(f"{word} {TAG} {word}")),
    "user": lambda handle, word: chat(handle, user=word),
    "metadata": lambda handle, word: chat(handle, metadata={word: word, "tags": [word]}),
    "streamed": lambda handle, word: chat(handle, stream=True, user=word),
    "calls back": lambda handle, word: chat(handle, optillm_approach="re2", children=(word, "base", "base")),
    "calls back too often": lambda handle, _: chat(handle, optillm_approach="re2", children=("base",) * 5),
    "loops": lambda handle, _: chat(handle, optillm_approach="re2", children=("boost", "base")),
    "header": lambda handle, word: headed(handle, {"user-agent": word, "x-forwarded-for": word}),
    "steering header": lambda handle, word: headed(handle, {f"x-litellm-{escaped(word)}": word}),
    "model header": lambda _, word: headed(None, {"x-litellm-model": word}),
    "query": lambda _, word: elsewhere(f"{CHAT}?model={escaped(word)}"),
    "path": lambda _, word: elsewhere(f"/v1/models/{word}", "GET"),
    "route": lambda _, word: elsewhere(f"/openai/deployments/{word}/chat/completions"),
    "nowhere": lambda _, word: elsewhere(f"/{word}", word),
    "list": lambda _, word: Made([word], {}),
    "torn": lambda _, word: Made(b'{"model": "' + word.encode("utf-8", "replace"), {}),
}
"""By kind, the request about a handle with a word."""
FAILING: Final = frozenset({"user", "streamed", "calls back"})
"""Kinds that are also made while their upstream fails."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request but for its word: what kind it is, who sends it, which handle it is about."""

    kind: str
    caller: str
    handle: str
    faults: int
    """How many of its attempts at upstreams fail."""

    def made(self, word: str) -> Made:
        """The request with a word in it."""
        return KINDS[self.kind](self.handle, word)


def cases(callers: tuple[str, ...], handles: tuple[str, ...]) -> list[Case]:
    """Every kind of request by each caller about each handle."""
    return [
        Case(kind, caller, handle, faults)
        for kind, caller, handle, faults in product(KINDS, callers, handles, (0, 1, 9))
        if faults == 0 or kind in FAILING
    ]
