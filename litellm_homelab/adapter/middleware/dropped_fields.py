"""Says in the log which deployments of router.yaml LiteLLM's router has left out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from litellm_homelab.adapter.litellm_api.deployments import Deployments

log = logging.getLogger("LiteLLM Proxy.homelab")


class Dropped:
    """
    Compares the file's groups with the router's, once; of a wildcard group no name below it is among them.

    LiteLLM 1.106.2 leaves a deployment out without a word where a parameter has a wrong type; its handle is
    then answered "no healthy deployments".
    """

    def __init__(self, groups: Iterable[str], deployments: Deployments) -> None:
        self._expected = Counter(groups)
        self._deployments = deployments
        self._done = False

    def report(self) -> None:
        """Log each group with fewer deployments than the file gives it, once there is a router."""
        if self._done or not self._deployments.has_router():
            return
        self._done = True
        there = Counter(str(one.get("model_name")) for one in self._deployments.kept())
        for group, number in (self._expected - there).items():
            log.error(
                "homelab: LiteLLM's router has left out %d of the %d deployments of %s in router.yaml: look "
                "for a parameter with a wrong type, such as a number or a date that is not in quotes",
                number,
                self._expected[group],
                group,
            )
