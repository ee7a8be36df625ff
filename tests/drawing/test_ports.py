"""The table of addresses."""

from __future__ import annotations

import pytest

from litellm_homelab.drawing import ports
from tests.drawing import lab

GOLDEN = """\
ADDRESS                    PORT  VARIABLE          HANDLES
0.0.0.0                    4000                    this gateway
gpu                        8000                    main, base (internal)
127.0.0.1                  8100                    boost
not set here                     EXACT_API_BASE    exact (hidden)
groq, as LiteLLM knows it                          spare (internal)
nas                        8000                    archive (backroom)
not set here                     SEARXNG_API_BASE  web (search tool)
"""


def test_the_whole_table() -> None:
    """The gateway, deployments in the order of the file, search tools; of a URL its host and port alone."""
    assert ports.written(lab.read(), {}) == GOLDEN


def test_a_variable_that_is_set_has_its_address() -> None:
    """In the spelling of the file; the gateway's own port is that of the environment."""
    environ = {"EXACT_API_BASE": "http://127.1:9000/v1", "PORT": "5000", "HOST": "127.0.0.1"}
    said = ports.written(lab.read(environ=environ), environ).splitlines()
    assert said[1].split() == ["127.0.0.1", "5000", "HOST,", "PORT", "this", "gateway"]
    assert "127.1" in said[4]
    assert said[4].split()[1:3] == ["9000", "EXACT_API_BASE"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("https://api.example.com/v1", ["api.example.com", "443"], id="the scheme's port"),
        pytest.param("http://[::1]:8080", ["::1", "8080"], id="IPv6"),
        pytest.param("http://u:secret@nas:1/v1", ["nas", "1"], id="a password"),
        pytest.param("http://nas:1/v1?key=secret", ["nas", "1"], id="a query"),
        pytest.param("http://nas:99999", ["not", "an", "address"], id="no port"),
    ],
)
def test_addresses(url: str, shown: list[str]) -> None:
    """Nothing else of a URL is shown."""
    said = ports.written(lab.read(("os.environ/EXACT_API_BASE", f"'{url}'")), {})
    assert "secret" not in said
    assert [line.split()[: len(shown)] for line in said.splitlines() if "exact" in line] == [shown]
