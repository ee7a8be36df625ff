"""The two tools as a client sees them: names, descriptions, arguments, and what a call gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from litellm_homelab.mcp_server.faults import ToolFault

SEARCH: Final = "search.web"
FETCH: Final = "web.fetch"
_LONGEST: Final = 200_000


class SearchArguments(BaseModel):
    """What `search.web` takes."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=1000, description="What to search for.")
    max_results: int = Field(default=5, ge=1, le=20, description="How many results.")


class FetchArguments(BaseModel):
    """What `web.fetch` takes."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, description="The whole address: https://example.org/page")
    format: Literal["text", "html"] = Field(
        default="text",
        description="text: the main text as Markdown. html: trimmed HTML, with links and tables.",
    )
    start: int = Field(default=0, ge=0, description="The first character, to read on in a long text.")
    max_chars: int = Field(default=20_000, ge=100, le=_LONGEST, description="How many characters at most.")


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """One tool, as it is listed."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]


_OFFERED: Final = (
    OfferedTool(
        SEARCH,
        "Search the web",
        "Searches the web. Gives a numbered list of titles, addresses and snippets.",
        SearchArguments,
    ),
    OfferedTool(
        FETCH,
        "Read a web page",
        "Reads one web page, or one text or JSON file, and gives its text. Long texts come in pieces.",
        FetchArguments,
    ),
)


class Search(Protocol):
    """What searches."""

    async def search(self, query: str, most: int) -> str:
        """Results as text; raises ToolFault."""
        ...


class Fetch(Protocol):
    """What reads pages."""

    async def fetch(self, url: str, *, as_html: bool, start: int, most: int) -> str:
        """A page as text; raises ToolFault."""
        ...


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What the server offers."""

    search: Search
    fetch: Fetch
    with_underscores: bool = False
    """`search_web` and `web_fetch`, for clients that hand names on to an API that takes no dot."""

    def offered(self) -> list[OfferedTool]:
        """The tools, with the names by which they are called."""
        return [
            OfferedTool(self._name(one.name), one.title, one.description, one.arguments) for one in _OFFERED
        ]

    def _name(self, name: str) -> str:
        return name.replace(".", "_") if self.with_underscores else name

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """
        What a tool gives.

        Raises:
            ToolFault: there is no such tool, the arguments are not its own, or it has no result.

        """
        try:
            if name == self._name(SEARCH):
                search = SearchArguments.model_validate(arguments)
                return await self.search.search(search.query, search.max_results)
            if name == self._name(FETCH):
                fetch = FetchArguments.model_validate(arguments)
                return await self.fetch.fetch(
                    fetch.url, as_html=fetch.format == "html", start=fetch.start, most=fetch.max_chars
                )
        except ValidationError as error:
            raise ToolFault(_mistakes(error)) from error
        names = " and ".join(one.name for one in self.offered())
        raise ToolFault(f"There is no such tool here. The tools are {names}.")


def _mistakes(error: ValidationError) -> str:
    """What is wrong with arguments, by name; their values are not repeated."""
    found = (f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in error.errors())
    return f"The arguments are not usable: {'; '.join(found)}."
