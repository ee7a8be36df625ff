"""Takes internal names out of texts, for the client whose request is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api import client_error
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.answers.redaction import Words
from litellm_homelab.optillm import lineage


class Scrub:
    """Cleans texts by what the router knows at the moment, and what clients may know: `public`."""

    def __init__(self, public: Iterable[str], deployments: Deployments) -> None:
        self._public = tuple(public)
        self._deployments = deployments

    def __call__(self, text: str) -> str:
        """
        A text without the names and addresses of upstreams, without secrets and without marks.

        A refusal of this gateway stays as it is: it says nothing of upstreams.
        """
        record = context.current()
        if record is not None and record.outcome.is_own(text):
            return text
        asked = (record.asked, record.model) if record else ()
        public = frozenset((*self._public, *filter(None, asked)))
        names = client_error.scrubber(self._deployments.all(), public)
        words = Words(public, partial(_said, record.fields if record else {}))
        return client_error.cleaned(lineage.erased(text), names, words)


def _said(fields: Mapping[str, Any], text: str) -> bool:
    """Whether the client's own request has a text in it."""
    return text in str(fields)
