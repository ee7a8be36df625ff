"""The map as text."""

from __future__ import annotations

from litellm_homelab.drawing import text
from tests.drawing import lab

GOLDEN = """\
Callers
  master key  uses  every name
  chat        uses  main, boost

Names
  main              is served by   gpu
                    falls back to  spare
  boost             is served by   http://loopback:8100
  exact (hidden)    is served by   $EXACT_API_BASE
  base (internal)   is served by   gpu
  spare (internal)  is served by   groq

Backends that call back
  http://loopback:8100 (optillm)  calls back  base

5 names on 4 backends.
"""
WRONG = """\
Wrong
  LOOP      boost -> OptiLLM -> boost
  BACKROOM  spare falls back to archive: in none of the showroom's lists

Callers
  master key  uses  every name
  chat        uses  main, boost

Names
  main                is served by   gpu
                      falls back to  spare
  boost               is served by   http://loopback:8100 [LOOP]
  exact (hidden)      is served by   $EXACT_API_BASE
  base (internal)     is served by   gpu
  spare (internal)    is served by   groq
                      falls back to  archive [BACKROOM]
  archive (backroom)  is served by   nas:8000

Backends that call back
  http://loopback:8100 (optillm)  calls back  boost [LOOP]

5 names on 5 backends. BACKROOM: in none of the showroom's lists; LOOP: a request comes back to where it was.
"""


def test_the_whole_map() -> None:
    """Who does what to whom; OptiLLM's way back is a section of its own."""
    assert text.written(lab.drawn()) == GOLDEN


def test_what_is_wrong_comes_first() -> None:
    """With a word at every arrow of it, which the last line explains."""
    backroom = ("[{main: [spare]}]", "[{main: [spare, archive]}]")
    assert text.written(lab.drawn(lab.LOOP, backroom)) == WRONG


def test_two_deployments_are_an_alternative_and_a_setting_is_named() -> None:
    """A name with two servers; a list of fallbacks that is for one kind of error."""
    second = "  - model_name: main\n    litellm_params: {model: groq/main, api_key: cloud-key}\n"
    other = ("fallbacks: [", "context_window_fallbacks: [{main: [base]}]\n  fallbacks: [")
    said = text.written(lab.drawn(("  - model_name: boost\n", f"{second}  - model_name: boost\n"), other))
    assert "is served by   gpu or groq\n" in said
    assert "falls back to  spare, base (context_window_fallbacks)\n" in said
