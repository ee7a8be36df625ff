"""The mark behind the model name of a body that LiteLLM is sending: put on, and taken off again."""

from __future__ import annotations

from typing import Any

from litellm_homelab.adapter.context import RequestContext, Root


def put_on(root: Root, body: dict[str, Any]) -> None:
    """Mark the body of an attempt, once; LiteLLM sends this very dict (measured on 1.106.2)."""
    if not str(body["model"]).endswith(root.mark):
        body["model"] = f"{body['model']}{root.mark}"
    root.wire, root.carried = body, True


def take_off(record: RequestContext | None) -> None:
    """Clean the body once it is sent: LiteLLM keeps it for its logs."""
    root = record.root if record else None
    if root is not None and root.wire is not None:
        root.wire["model"] = str(root.wire.get("model", "")).removesuffix(root.mark)
        root.wire = None
