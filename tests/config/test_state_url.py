"""`homelab.state` is read exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.config.state_url import Location, parse

BASE = Path("/etc/gateway")


@pytest.mark.parametrize(
    ("url", "location"),
    [
        pytest.param("memory://", Location("memory"), id="memory"),
        pytest.param("sqlite:///homelab.db", Location("sqlite", "/etc/gateway/homelab.db"), id="relative"),
        pytest.param(
            "sqlite:///../state/a.db", Location("sqlite", "/etc/gateway/../state/a.db"), id="upwards"
        ),
        pytest.param("sqlite:////var/lib/a.db", Location("sqlite", "/var/lib/a.db"), id="absolute"),
        pytest.param("redis://127.0.0.1:6379/0", Location("redis", "redis://127.0.0.1:6379/0"), id="redis"),
        pytest.param("redis://u:p@host:1/2", Location("redis", "redis://u:p@host:1/2"), id="redis-password"),
    ],
)
def test_a_url_names_a_place(url: str, location: Location) -> None:
    """Each documented form is read; a relative file is relative to the folder of router.yaml."""
    assert parse(url, BASE) == location


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        pytest.param("", "unknown store '' ", id="empty"),
        pytest.param("homelab.db", "unknown store 'homelab.db' ", id="a-bare-file"),
        pytest.param("memory://x", "unknown store 'memory://' ", id="memory-with-a-name"),
        pytest.param("postgres://u:hunter2@host/db", "unknown store 'postgres://' ", id="postgres"),
        pytest.param("SQLITE:///a.db", "unknown store 'SQLITE://' ", id="upper-case"),
        pytest.param("sqlite://", "'sqlite://' names no file", id="sqlite-in-memory"),
        pytest.param("sqlite://homelab.db", "'sqlite://homelab.db' names no file", id="two-slashes"),
        pytest.param("sqlite:///", "'sqlite:///' names no file", id="no-file"),
        pytest.param("sqlite:///folder/", "'sqlite:///folder/' names no file", id="a-folder"),
        pytest.param("redis://", "incomplete redis:// URL", id="redis-alone"),
        pytest.param("redis://host/0", "incomplete redis:// URL", id="no-port"),
        pytest.param("redis://host:6379", "incomplete redis:// URL", id="no-db"),
        pytest.param("redis://host:6379/zero", "incomplete redis:// URL", id="db-by-name"),
        pytest.param("redis://u:hunter2@host:port/0", "incomplete redis:// URL", id="port-by-name"),
        pytest.param("redis://[::1:6379/0", "incomplete redis:// URL", id="broken-address"),
        pytest.param("redis://host:6379/0?socket_timeout=0", "incomplete redis:// URL", id="query"),
    ],
)
def test_what_is_no_store_says_what_is(url: str, problem: str) -> None:
    """The error says what is wrong and what is valid, and never a password."""
    with pytest.raises(ValueError, match=r"\(valid: ") as raised:
        parse(url, BASE)
    assert str(raised.value).startswith(problem)
    assert "hunter2" not in str(raised.value)
