"""The `llm` command, with models of extra-openai-models.yaml as its pages say; run in this process."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from click.testing import CliRunner
from llm.cli import cli

from tests.clients.python.driver import HANDLES, KEY, QUESTION, URL, Answer, called, cells, run, said

MODEL = """\
- model_id: {name}
  model_name: {name}
  api_base: {url}/v1
  api_key_name: lab
  supports_tools: true
  supports_schema: true
"""


def ask(model: str, stream: bool, *options: str) -> Answer:
    """Ask once on the command line."""
    how = [] if stream else ["--no-stream"]
    done = CliRunner().invoke(cli, ["prompt", "-m", model, "--no-log", *how, *(options or [QUESTION])])
    if done.exit_code:
        return {"error": "exit", "status": done.exit_code, "text": done.output}
    return said([done.output.strip()])


def structured(model: str, stream: bool) -> Answer:
    """Have an answer of a given shape."""
    answer = ask(model, stream, "--schema", "answer, number int", QUESTION)
    return answer if "error" in answer else {"object": json.loads(answer["text"])}


def tool(model: str, stream: bool) -> Answer:
    """Have a tool of llm's own called: the answer then echoes what it gave, which is a version."""
    answer = ask(model, stream, "-T", "llm_version", "Use the llm_version tool")
    return answer if "error" in answer else {**called("llm_version", {}), **answer}


def main() -> None:
    """Ask everything, with a folder of settings of its own."""
    with tempfile.TemporaryDirectory(prefix="llm-") as name:
        models = "".join(MODEL.format(name=handle, url=URL) for handle in (*HANDLES, "nowhere"))
        (Path(name) / "extra-openai-models.yaml").write_text(models)
        (Path(name) / "keys.json").write_text(json.dumps({"lab": KEY}))
        os.environ["LLM_USER_PATH"] = name
        run(cells("chat", ask, tool, structured))


if __name__ == "__main__":
    main()
