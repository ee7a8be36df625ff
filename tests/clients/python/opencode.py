"""
OpenCode as a server (`opencode serve`), asked over its own API: the agent is the one that its terminal shows.

OPENCODE is its program. The provider is the one of its documentation for a server of one's own,
@ai-sdk/openai-compatible; `openai` asks /v1/responses.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.python.driver import (
    HANDLES,
    KEY,
    QUESTION,
    SCHEMA,
    URL,
    Answer,
    Ask,
    Case,
    called,
    cells,
    run,
    said,
)

SECONDS = 570
QUIET = ("MODELS_FETCH", "AUTOUPDATE", "DEFAULT_PLUGINS", "LSP_DOWNLOAD", "EXTERNAL_SKILLS", "SHARE")
PROVIDERS = {"compatible": "@ai-sdk/openai-compatible", "openai": "@ai-sdk/openai"}


def settings() -> dict[str, Any]:
    """Return an opencode.json that knows the gateway and nothing else."""
    options = {"baseURL": f"{URL}/v1", "apiKey": KEY}
    models: dict[str, Any] = {name: {} for name in (*HANDLES, "nowhere")}
    providers = {name: {"npm": npm, "options": options, "models": models} for name, npm in PROVIDERS.items()}
    permission = {"bash": "allow"}
    return {"provider": providers, "permission": permission, "autoupdate": False, "share": "disabled"}


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run OpenCode in an empty project for the length of the block; gives its address."""
    (folder / "opencode.json").write_text(json.dumps(settings()))
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    environ |= {f"OPENCODE_DISABLE_{name}": "1" for name in QUIET}
    command = [os.environ["OPENCODE"], "serve", "--hostname", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        giving_up = threading.Timer(SECONDS, process.kill)
        giving_up.start()
        try:
            yield _address(process)
        finally:
            giving_up.cancel()
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise RuntimeError("opencode serve ended before it said where it listens")


def post(address: str, path: str, body: Mapping[str, Any]) -> Any:
    """POST JSON to OpenCode."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(address + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return json.load(response)


def ask(address: str, provider: str, model: str, text: str = QUESTION, **fields: Any) -> Answer:
    """Say one thing in a session of its own."""
    session = post(address, "/session", {"title": "a test"})["id"]
    chosen = {"providerID": provider, "modelID": model}
    body = {"model": chosen, "parts": [{"type": "text", "text": text}], **fields}
    answer = post(address, f"/session/{session}/message", body)
    if error := answer["info"].get("error"):
        data = error["data"]
        return {"error": error["name"], "status": data.get("statusCode"), "text": data.get("message", "")}
    spoken = said(part["text"] for part in answer["parts"] if part["type"] == "text")
    return {**spoken, "object": answer["info"].get("structured")}


def tool(address: str, provider: str, model: str) -> Answer:
    """Have a command run: the answer then echoes what it printed, which is the folder's one file."""
    return {**called("bash", {}), **ask(address, provider, model, "Use the bash tool with ls")}


def structured(address: str, provider: str, model: str) -> Answer:
    """Have an answer of a given shape."""
    wanted = {"type": "json_schema", "schema": SCHEMA, "retryCount": 0}
    return ask(address, provider, model, format=wanted)


def main() -> None:
    """Ask everything of one server."""
    with tempfile.TemporaryDirectory(prefix="opencode-") as name, server(Path(name)) as address:
        cases: dict[str, Case] = {}
        for api, provider in (("compatible", "compatible"), ("responses", "openai")):

            def asking(function: Callable[..., Answer], provider: str = provider) -> Ask:
                return lambda handle, _: function(address, provider, handle)

            cases |= cells(api, asking(ask), asking(tool), asking(structured), ways=[True])
        run(cases)


if __name__ == "__main__":
    main()
