"""Gateways that the tests of this folder share: a start of LiteLLM takes seconds and 320 MB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real import chain
from tests.real.clients import Clients, clients_of
from tests.real.gateway import Gateway, gateway


@pytest.fixture(scope="session")
def _shipped() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture(scope="session")
def _shipped_clients(_shipped: Gateway) -> Iterator[Clients]:
    with clients_of(_shipped) as clients:
        yield clients


@pytest.fixture
def shipped(_shipped: Gateway) -> Gateway:
    """
    The gateway on the shipped router.yaml, nothing recorded yet.

    No fault is switched on it: a handle would rest for `cooldown_time` and fail a later test.
    """
    _shipped.demo.clear_requests()
    return _shipped


@pytest.fixture
def clients(_shipped_clients: Clients, shipped: Gateway) -> Clients:
    """The SDKs on the shipped gateway."""
    return _shipped_clients


@pytest.fixture(scope="session")
def _chained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with chain.gateway(tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture
def chained(_chained: Gateway) -> Iterator[Gateway]:
    """The gateway of `chain`, where nothing rests after a fault; faults end with the test."""
    _chained.demo.clear_requests()
    yield _chained
    _chained.demo.clear_fault()
