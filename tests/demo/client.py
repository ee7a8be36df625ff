"""One HTTP client for all tests here: making one costs 20 ms, most of it for certificates nobody needs."""

from __future__ import annotations

import httpx

HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=20)
