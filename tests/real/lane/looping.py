"""A lane that goes round, though no look at router.yaml can tell: a relay renames what OptiLLM asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tests.real.lane.relay import CAP, Relay
from tests.real.lane.rig import GATE_KEY, Rig, rig

LEADS: Final = {"to-self": "self", "to-ping": "ping", "to-pong": "pong"}
"""What OptiLLM asks for, a model server as far as router.yaml says, and the handle that it reaches."""
LOOPS: Final = {"self": "to-self", "ping": "to-pong", "pong": "to-ping"}
"""OptiLLM handles with what their OptiLLM asks for: one that calls itself, two that call each other."""
PATHS: Final = {"self": "self -> OptiLLM -> self", "ping": "ping -> OptiLLM -> pong"}
REFUSED: Final = {"none": 1, "re2": 1, "moa": 4, "bon": 4, "moa&re2": 5}
"""Calls that an approach makes all of which are refused, before it gives up (measured on OptiLLM 0.4.0)."""
APPROACHES: Final = ("none", "re2", "moa", "bon", "self_consistency", "plansearch")
KEYS: Final = {"app": "sk-app-app-app", "optillm": "sk-optillm-optillm"}
LAYERS: Final[Mapping[str, Mapping[str, str]]] = {
    "lineage": {"optillm_key": KEYS["app"], "carrier": "model"},
    "identity": {"optillm_key": KEYS["optillm"], "carrier": "off"},
    "both": {"optillm_key": KEYS["optillm"], "carrier": "model"},
}
"""The layers that are left, by configuration alone; the relay takes the static one away from each."""
CALLBACKS: Final = ("litellm_homelab.plugin",)


def document(carrier: str = "model", callbacks: Sequence[str] = CALLBACKS) -> dict[str, Any]:
    """The router.yaml of a gateway whose loops nobody can read from it; `good` is a lane without one."""
    lane = {"approaches": list(APPROACHES), "max_calls": 64, "carrier": carrier}
    models = [_group("good", "main", "OPTILLM")]
    models += [_group(handle, asked, "OPTILLM") for handle, asked in LOOPS.items()]
    models += [_group(name, f"real-{name}", "BASE") for name in ("main", *LEADS)]
    return {
        "homelab": {
            "showroom": {"handles": ["main", "good", *LOOPS], "internal": [*LEADS]},
            "callers": {
                "app": {"key": KEYS["app"]},
                "optillm": {"key": KEYS["optillm"], "role": "optillm"},
            },
            "optillm": {name: dict(lane) for name in ("good", *LOOPS)},
            "state": "memory://",
        },
        "model_list": models,
        "router_settings": {"num_retries": 2},
        "litellm_settings": {
            "callbacks": [*callbacks],
            "use_chat_completions_url_for_anthropic_messages": True,
            "disable_hf_tokenizer_download": True,
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "custom_auth": "litellm_homelab.gate",
            "cancel_on_disconnect": True,
            "disable_model_info_refresh": True,
        },
    }


def _group(name: str, model: str, variable: str) -> dict[str, Any]:
    params = {"api_base": f"os.environ/{variable}_API_BASE", "api_key": GATE_KEY}
    return {
        "model_name": name,
        "litellm_params": {"model": f"lm_studio/{model}", **params, "use_chat_completions_api": True},
        "model_info": {"id": f"id-{name}", "mode": "chat"},
    }


def led_astray(model: str) -> str:
    """The name that the relay makes of one that OptiLLM asks for, whatever mark is behind it."""
    name, at, mark = model.partition("@")
    return LEADS.get(name, name) + at + mark


@contextmanager
def looping(layer: str, *, optillm: str = "0.4.0", callbacks: Sequence[str] = CALLBACKS) -> Iterator[Rig]:
    """Run it with the layers that `layer` leaves, `stock` for none of ours: LiteLLM without hooks."""
    relay = Relay(cap=CAP, rename=led_astray)
    if layer == "stock":
        with rig(document(), optillm=optillm, hooks=False, back=relay) as running:
            yield running
        return
    left = LAYERS[layer]
    made = document(left["carrier"], callbacks)
    with rig(made, optillm=optillm, back=relay, optillm_key=left["optillm_key"]) as running:
        yield running
