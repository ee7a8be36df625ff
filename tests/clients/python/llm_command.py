"""The `llm` command, with models of extra-openai-models.yaml as its pages say; run in this process."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from llm.cli import cli

from tests.clients.python.driver import HANDLES, KEY, QUESTION, URL, Case, called, run, said

MODEL = """\
- model_id: {name}
  model_name: {name}
  api_base: {url}/v1
  api_key_name: lab
  supports_tools: true
  supports_schema: true
"""


def ask(model: str, *options: str) -> Mapping[str, Any]:
    """Ask once on the command line."""
    done = CliRunner().invoke(cli, ["prompt", "-m", model, "--no-log", *options])
    if done.exit_code:
        return {"error": "exit", "status": done.exit_code, "text": done.output}
    return said([done.output.strip()])


def structured(model: str, *options: str) -> Mapping[str, Any]:
    """Have an answer of a given shape."""
    answer = ask(model, "--schema", "answer, number int", *options, QUESTION)
    return answer if "error" in answer else {"object": json.loads(answer["text"])}


def tool(model: str, *options: str) -> Mapping[str, Any]:
    """Have a tool of llm's own called: the answer then echoes what it gave, which is a version."""
    answer = ask(model, "-T", "llm_version", *options, "Use the llm_version tool")
    return answer if "error" in answer else {**called("llm_version", {}), **answer}


def main() -> None:
    """Ask everything, with a folder of settings of its own."""
    with tempfile.TemporaryDirectory(prefix="llm-") as name:
        models = "".join(MODEL.format(name=handle, url=URL) for handle in (*HANDLES, "nowhere"))
        (Path(name) / "extra-openai-models.yaml").write_text(models)
        (Path(name) / "keys.json").write_text(json.dumps({"lab": KEY}))
        os.environ["LLM_USER_PATH"] = name
        cases: dict[str, Case] = {
            "wrong-name": partial(ask, "nowhere", "--no-stream", QUESTION),
            "wrong-name-streamed": partial(ask, "nowhere", QUESTION),
        }
        for handle in HANDLES:
            cases |= {
                handle: partial(ask, handle, "--no-stream", QUESTION),
                f"{handle}-streamed": partial(ask, handle, QUESTION),
                f"tool-{handle}": partial(tool, handle, "--no-stream"),
                f"tool-{handle}-streamed": partial(tool, handle),
                f"structured-{handle}": partial(structured, handle, "--no-stream"),
                f"structured-{handle}-streamed": partial(structured, handle),
            }
        run(cases)


if __name__ == "__main__":
    main()
