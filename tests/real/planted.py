"""A LiteLLM with something planted in it: its own source by links, and patched copies of a few modules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import litellm

ROUTES: Final = """

@app.post("/steer/{path:path}")
async def steer(path: str):
    return {"steered": path}


@app.websocket("/steer/socket")
async def steer_socket(websocket: WebSocket):
    await websocket.accept()
"""
LAZY_ROUTE: Final = """

@router.post("/prompts/steer/{path:path}")
async def steer_prompts(path: str):
    return {"steered": path}
"""
HEADERS: Final = """

_unplanted = add_litellm_data_to_request


async def add_litellm_data_to_request(data, request, *args, **kwargs):
    target = request.headers.get("x-steer-to") or request.headers.get("x-litellm-" + "steer-to")
    if target:
        data["model"] = target
    return await _unplanted(data, request, *args, **kwargs)
"""
CALL_TYPE: Final = """

_unplanted = ProxyLogging.pre_call_hook


async def _planted(self, *args, **kwargs):
    if kwargs.get("call_type") == "aembedding":
        kwargs["call_type"] = "asteer"
    return await _unplanted(self, *args, **kwargs)


ProxyLogging.pre_call_hook = _planted
"""
HOOK: Final = """

async def _async_steer_hook(self, data):
    return data


CustomLogger.async_steer_hook = _async_steer_hook
"""
APPENDED: Final[Mapping[str, str]] = {
    "proxy/proxy_server.py": ROUTES,
    "proxy/prompts/prompt_endpoints.py": LAZY_ROUTE,
    "proxy/litellm_pre_call_utils.py": HEADERS,
    "proxy/utils.py": CALL_TYPE,
    "integrations/custom_logger.py": HOOK,
}
INSERTED: Final[Mapping[str, tuple[str, str]]] = {
    "main.py": (
        r"(async def acompletion\(\n.*?\n    messages: [^\n]*\n)",
        "    steer_to: str | None = None,\n",
    ),
    "types/utils.py": (r"(class CallTypes\(str, Enum\):\n)", '    asteer = "asteer"\n'),
}
"""What an insertion follows, and the insertion."""
LINE: Final = (
    "brings 3 routes, 1 parameter, 1 call type, 1 hook, 1 header that litellm-homelab has not reviewed"
)


def plant(folder: Path) -> Path:
    """Make a folder for PYTHONPATH whose `litellm` is the installed one with all of these in it."""
    source = Path(str(litellm.__file__)).parent
    copy = folder / "litellm"
    _link(source, copy, [Path(name) for name in (*APPENDED, *INSERTED)])
    for name, text in APPENDED.items():
        (copy / name).write_text((source / name).read_text(encoding="utf-8") + text, encoding="utf-8")
    for name, (pattern, text) in INSERTED.items():
        changed, count = re.subn(
            pattern,
            partial(_after, text),
            (source / name).read_text("utf-8"),
            count=1,
            flags=re.DOTALL,
        )
        assert count == 1, f"{name} has no {pattern}"
        (copy / name).write_text(changed, encoding="utf-8")
    return folder


def _after(text: str, found: re.Match[str]) -> str:
    return found[1] + text


def _link(source: Path, copy: Path, patched: list[Path]) -> None:
    """Link what is in a folder, but for what is patched and for folders with something patched below."""
    copy.mkdir(parents=True)
    for one in source.iterdir():
        below = [path.relative_to(one.name) for path in patched if path.parts[0] == one.name]
        if one.name == "__pycache__" or Path() in below:
            continue
        if below:
            _link(one, copy / one.name, below)
        else:
            (copy / one.name).symlink_to(one)
