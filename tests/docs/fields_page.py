"""
The page docs/fields.md, made from the lists of `litellm_homelab.fields`.

    python -m tests.docs.fields_page > docs/fields.md
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from litellm_homelab.fields.lists import Lists, reviewed

WIDTH = 110
HEAD = """\
# What a client may send

<!-- Made by `python -m tests.docs.fields_page`; tests/docs/test_fields.py compares it with the lists. -->

Every field of a request to a model route passes, is dropped or is refused.

- **Passed**: what the API of the route documents, what local servers document, and what you open.
- **Dropped**: what only tunes LiteLLM or the server, what another API documents, and every name that nobody
  knows. The request is served without it. `homelab_fields_stripped_total` counts it, and the log names it at
  level DEBUG.
- **Refused** with 400 `param_not_allowed`: what would reach another model, address, key, account, provider,
  fallback, store or template. Nothing is sent. The refusal names the field; the metrics call it `fields`.

`homelab.fields` opens and closes by name: see [the configuration][1]. What is refused below can never be
opened. The lists are in `litellm_homelab/fields/`. They were compared with LiteLLM {versions} on {date}; a
parameter of a newer LiteLLM that is on no list is refused.

[1]: configuration.md#open-or-close-a-request-field
"""
EXTRA_BODY = (
    "`extra_body` is judged like the body, at every depth. The request itself has no place there; refused:\n"
)


def page(lists: Lists | None = None) -> str:
    """The whole page."""
    found = lists or reviewed()
    head = HEAD.format(versions=", ".join(found.versions), date=found.date)
    return "\n".join([head, *_passed(found), *_dropped(found), *_refused(found), *_elsewhere(found)])


def _passed(lists: Lists) -> Iterator[str]:
    yield "## Passed\n"
    for api in dict.fromkeys(api for one in lists.documented for api in one.apis):
        yield f"### {api}\n"
        for one in lists.documented:
            if api in one.apis:
                yield f"{one.source} ({one.date}):\n"
                yield f"{_names(one.fields)}\n"
    yield "### On every route\n"
    yield from _by_reason(lists.passed)


def _dropped(lists: Lists) -> Iterator[str]:
    yield "## Dropped\n"
    yield from _by_reason(lists.dropped)


def _refused(lists: Lists) -> Iterator[str]:
    yield "## Refused\n"
    yield from _by_reason(lists.refused)
    yield "Refused by the beginning of the name:\n"
    yield from _by_reason({f"{start}*": why for start, why in lists.refused_prefixes.items()})
    yield "Refused by what the name holds:\n"
    yield from _by_reason({f"*{part}*": why for part, why in lists.refused_parts.items()})


def _elsewhere(lists: Lists) -> Iterator[str]:
    yield "## Inside extra_body\n"
    yield EXTRA_BODY
    yield f"{_names(lists.in_extra_body)}\n"
    yield "## Keys of metadata and litellm_metadata\n"
    yield "Any key of the client's own passes. Dropped:\n"
    yield f"{_names(lists.metadata_dropped)}\n"
    yield "Refused:\n"
    yield f"{_names({*lists.metadata_refused, *(f'{start}*' for start in lists.metadata_prefixes)})}\n"
    yield "## Headers\n"
    yield "Headers that begin with `x-litellm-` are dropped, except:\n"
    yield from _by_reason(lists.headers_passed)
    yield "Refused:\n"
    yield from _by_reason(lists.headers_refused)


def _by_reason(names: Mapping[str, str]) -> Iterator[str]:
    for reason in dict.fromkeys(names.values()):
        listed = _names(name for name, why in names.items() if why == reason)
        yield f"{reason[0].upper()}{reason[1:]}:\n"
        yield f"{listed}\n"


def _names(names: Iterable[str]) -> str:
    text = " ".join(f"`{name}`" for name in sorted(names))
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    sys.stdout.write(page())
