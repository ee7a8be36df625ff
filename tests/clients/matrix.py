"""Which client is tried on which API, with what, and how: the table behind tests/real/test_clients.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HANDLES = ("main", "deep", "boost")
COLUMNS = ("text", "tools", "structured", "wrong-name")
WAYS = {"w": "whole", "s": "streamed"}

TABLE = """
client         api               handles  text  tools  structured  wrong-name
openai-python  chat              all      ws    ws     ws          ws
openai-python  responses         all      ws    ws     ws          ws
openai-python  azure             all      ws    ws     ws          ws
openai-python  azure-deployment  all      ws    ws     ws          ws
openai-python  azure-responses   all      ws    ws     ws          ws
openai-python  chat-re2          boost    ws    ws     ws          -
openai-python  responses-re2     boost    ws    ws     ws          -
openai-node    chat              all      ws    ws     ws          ws
openai-node    responses         all      ws    ws     ws          ws
openai-node    azure             all      ws    ws     ws          ws
openai-node    azure-deployment  all      ws    ws     ws          ws
openai-node    chat-re2          boost    ws    ws     ws          -
anthropic      messages          all      ws    ws     ws          ws
anthropic      messages-re2      boost    ws    ws     ws          -
ai-sdk         responses         all      ws    ws     ws          ws
ai-sdk         chat              all      ws    ws     ws          ws
ai-sdk         compatible        all      ws    ws     ws          ws
langchain      chat              all      ws    ws     ws          ws
langchain      responses         all      ws    ws     ws          ws
pydantic-ai    chat              all      ws    ws     ws          ws
pydantic-ai    responses         all      ws    ws     ws          ws
pydantic-ai    chat-by-tool      all      -     -      ws          -
pydantic-ai    responses-by-tool all      -     -      ws          -
llm            chat              all      ws    ws     ws          ws
opencode       compatible        all      s     s      s           s
opencode       responses         all      s     s      s           s
"""
"""
`w` is whole, `s` streamed, `-` a cell that there is not; `all` is `HANDLES`.

`azure` is AzureOpenAI without a deployment, `azure-deployment` with one: the handle is then in the path and
the body says another model. `-re2` asks `boost` for an approach that drops tools and formats; a wrong name
with an approach is the plain wrong name. `-by-tool` is pydantic-ai's own way to structured output.

Left out: OpenCode, whole, since it asks for streams alone. An approach for the AI SDK, LangChain and
pydantic-ai: an answer without the call or the object is an error of theirs; the SDKs show the header.
An approach for llm and OpenCode: they send no field of a gateway's own.
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: what `client` asks, on which API, of which handle, streamed or not."""

    client: str
    api: str
    what: str
    handle: str
    way: str

    @property
    def case(self) -> str:
        """What the client's driver calls it."""
        return f"{self.api}/{self.what}/{self.handle}/{self.way}"

    def __str__(self) -> str:
        return f"{self.client}/{self.case}"


def cells(table: str = TABLE) -> Iterator[Cell]:
    """Yield the cells of a table, row by row; a wrong name has one handle, which does not exist."""
    for line in table.strip().splitlines()[1:]:
        client, api, handles, *entries = line.split()
        for what, entry in zip(COLUMNS, entries, strict=True):
            asked = ("nowhere",) if what == "wrong-name" else HANDLES if handles == "all" else (handles,)
            for handle in asked:
                for letter in entry.replace("-", ""):
                    yield Cell(client, api, what, handle, WAYS[letter])


MORE: Mapping[str, frozenset[str]] = {
    "openai-python": frozenset({"list", "azure-list", "retrieve-wrong-name"}),
    "anthropic": frozenset(
        {f"{what}-{handle}" for what in ("count", "thinking") for handle in HANDLES} | {"count-wrong-name"}
    ),
}
"""Questions of one client alone, which its driver asks beside its rows."""
