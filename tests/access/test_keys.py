"""Keys: digests alone are kept, every caller is visited, two keys of one caller are as good as each other."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.access import callers
from litellm_homelab.access.callers import MASTER, Caller, Keyring
from litellm_homelab.config.loading import parse
from litellm_homelab.config.sections import digest
from litellm_homelab.config.settings import Known, Settings

ROUTER = """
homelab:
  showroom: {handles: [main]}
  callers:
    app: {key: os.environ/APP_KEY, next_key: os.environ/APP_NEXT_KEY, routes: [/v1/models]}
    phone: {key: sk-phone-key-1, next_key: os.environ/PHONE_NEXT_KEY}
    prometheus: {key: sk-metrics-key, role: metrics}
model_list:
  - {model_name: main, litellm_params: {model: openai/main, api_base: 'http://127.0.0.1:9/v1'}}
litellm_settings: {callbacks: [litellm_homelab.plugin]}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY, custom_auth: litellm_homelab.gate}
"""
ENVIRON = {
    "APP_KEY": "sk-app-key-0001",
    "APP_NEXT_KEY": "sk-app-key-0002",
    "PHONE_NEXT_KEY": "",
    "LITELLM_MASTER_KEY": "sk-the-master-key",
}
NAMES = {
    "sk-app-key-0001": "app",
    "sk-app-key-0002": "app",
    "sk-phone-key-1": "phone",
    "sk-metrics-key": "prometheus",
    "sk-the-master-key": "master",
}


def settings() -> Settings:
    """The settings of a router.yaml with callers."""
    return parse(ROUTER, path=Path("router.yaml"), environ=ENVIRON, known=Known())


KEYRING = Keyring.from_settings(settings())


@pytest.mark.parametrize(("key", "name"), NAMES.items())
def test_a_key_is_its_callers(key: str, name: str) -> None:
    """Each key, a next one as well as the present one, finds its caller with all that belongs to it."""
    found = KEYRING.find(key)
    assert found is not None
    assert found.name == name
    assert found.routes == (("/v1/models",) if name == "app" else None)


def test_an_empty_next_key_lets_nobody_in() -> None:
    """A variable that is there and empty is no key."""
    assert KEYRING.find("") is None
    assert len(KEYRING.entries) == len(NAMES) - 1


def test_no_key_is_kept() -> None:
    """Neither the callers' settings nor the keyring hold a key of a caller, as text or in their repr."""
    loaded = settings()
    kept = loaded.homelab.model_dump_json() + repr(loaded.homelab) + repr(KEYRING) + repr(loaded)
    assert [key for key in NAMES if key in kept] == []
    assert loaded.homelab.callers["app"].next_key == digest("sk-app-key-0002")


texts = st.text(st.characters(exclude_categories=[]), max_size=40)
"""Lone surrogates included: whatever a server can make of a header."""


@given(st.lists(texts, unique=True, max_size=6), texts, st.data())
def test_the_work_depends_on_neither_the_match_nor_its_place(
    known: list[str], other: str, data: st.DataObject
) -> None:
    """Every key is compared once, digests of one length, whichever matches and however far it agrees."""
    keyring = Keyring(
        tuple((digest(key), Caller(str(n))) for n, key in enumerate(known)), digest("sk-master")
    )
    alike = [key[: len(key) // 2] + other for key in known]
    presented = data.draw(st.sampled_from([*known, *alike, "sk-master", other]))
    compared: list[tuple[str, str]] = []

    def counted(one: str, two: str) -> bool:
        compared.append((one, two))
        return hmac.compare_digest(one, two)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callers, "hmac", Counted(counted))
        found = keyring.find(presented)
    assert [one for one, _ in compared] == [keyring.master, *(key for key, _ in keyring.entries)]
    assert {len(text) for pair in compared for text in pair} == {64}
    expected = MASTER if presented == "sk-master" else None
    expected = Caller(str(known.index(presented))) if presented in known else expected
    assert found == expected


class Counted:
    """Stands in for the module `hmac`."""

    def __init__(self, compare_digest: Any) -> None:
        self.compare_digest = compare_digest
