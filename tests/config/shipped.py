"""The files of `config/`, read as plainly as possible, for the tests beside this one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "config"
ROUTER_TEXT = (FOLDER / "router.yaml").read_text(encoding="utf-8")
ENV_TEXT = (FOLDER / "env.example").read_text(encoding="utf-8")
ROUTER: dict[str, Any] = yaml.safe_load(ROUTER_TEXT)
REGISTRY: dict[str, Any] = json.loads((FOLDER / "registry.json").read_text(encoding="utf-8"))
SHOWROOM: dict[str, Any] = ROUTER["homelab"]["showroom"]
CALLERS: dict[str, Any] = ROUTER["homelab"]["callers"]
LANES: dict[str, Any] = ROUTER["homelab"]["optillm"]

_REFERENCE = re.compile(r"os\.environ/(\w+)")
_ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=(\S*)$", re.MULTILINE)
_COMMENTED_ASSIGNMENT = re.compile(r"^# ([A-Z][A-Z0-9_]*)=(\S*)$", re.MULTILINE)

ENV: dict[str, str] = dict(_ASSIGNMENT.findall(ENV_TEXT))
COMMENTED_ENV: dict[str, str] = dict(_COMMENTED_ASSIGNMENT.findall(ENV_TEXT))


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of `model_list`: its group, LiteLLM's parameters for it, what it says about itself."""

    group: str
    params: dict[str, Any]
    info: dict[str, Any]

    @property
    def model(self) -> str:
        """The model as env.example has it, `<provider>/<name>`."""
        return self._value("model")

    @property
    def api_base(self) -> str:
        """The address as env.example has it."""
        return self._value("api_base")

    @property
    def upstream_model(self) -> str:
        """The name that the upstream sees."""
        return self.model.partition("/")[2]

    def _value(self, name: str) -> str:
        return ENV[str(self.params[name]).removeprefix("os.environ/")]


DEPLOYMENTS = [
    Deployment(entry["model_name"], entry["litellm_params"], entry["model_info"])
    for entry in ROUTER["model_list"]
]
BY_GROUP = {deployment.group: deployment for deployment in DEPLOYMENTS}


def references(*, commented: bool) -> set[str]:
    """The variables that router.yaml names, in its commented lines or in the others."""
    lines = (line for line in ROUTER_TEXT.splitlines() if line.lstrip().startswith("#") == commented)
    return {name for line in lines for name in _REFERENCE.findall(line)}
