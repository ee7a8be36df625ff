"""What manifests must agree with: the shipped files, their variables, the package's versions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from litellm_homelab.access.table import Access, reviewed
from tests.config.shipped import ENV, ROUTER
from tests.test_requirements import pins

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
(LITELLM,) = pins("run.txt")["litellm"]
IMAGE = f"ghcr.io/berriai/litellm-non_root:v{LITELLM}"
"""The official image of the locked LiteLLM, whose user is nobody."""
NOBODY = 65534
IN_CONTAINERS = {"PYTHONPATH", "HOME"}
"""Variables of Python and of the system, beside those of env.example."""
VARIABLES = ENV.keys() | IN_CONTAINERS
PORT = int(ENV["PORT"])


def longest_timeout() -> float:
    """The longest that one attempt may take by the shipped router.yaml, in seconds."""
    groups = ROUTER["homelab"]["timeouts"].values()
    deployments = [one["litellm_params"] for one in ROUTER["model_list"]]
    found = [one["total"] for one in groups] + [one["timeout"] for one in deployments if "timeout" in one]
    return float(max([*found, ROUTER["router_settings"]["timeout"]]))


def seconds(text: str) -> float:
    """A duration as compose writes it, such as 31m."""
    number, unit = re.fullmatch(r"(\d+)([sm])", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def is_open(path: str) -> bool:
    """Whether anyone may GET this path of the gateway, by the package's own table of routes."""
    return reviewed().get(("GET", path)) is Access.OPEN


def load(path: Path) -> Any:
    """One YAML document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def dump(document: Any) -> str:
    """A document as YAML."""
    return str(yaml.safe_dump(document, sort_keys=False))


def references(document: Any) -> set[str]:
    """The variables that a document takes its values from."""
    return set(re.findall(r"os\.environ/(\w+)", dump(document)))
