"""Answers of providers whose limit is used up, written by hand after what they document and users report."""

from __future__ import annotations

import json
from typing import Any

GEMINI_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier"


def groq(what: str, limit: int, used: int, requested: int, again: str | None) -> bytes:
    """Groq's 429: `what` is such as `requests per day (RPD)`."""
    text = (
        "Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_01abc` service tier "
        f"`on_demand` on {what}: Limit {limit}, Used {used}, Requested {requested}."
    )
    if again is not None:
        text += f" Please try again in {again}. Need more tokens? Upgrade to Dev Tier today."
    kind = "tokens" if "tokens" in what else "requests"
    return json.dumps({"error": {"message": text, "type": kind, "code": "rate_limit_exceeded"}}).encode()


def violation(
    quota: str, value: str | None, metric: str = "requests", model: str = "gemini-2.5-flash"
) -> Any:
    """One violation of a QuotaFailure of Gemini's."""
    found = {
        "quotaMetric": f"{GEMINI_METRIC}_{metric}",
        "quotaId": f"{quota}-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
    }
    return found if value is None else {**found, "quotaValue": value}


def gemini(violations: list[Any] | None, delay: str | None = "12s", *, in_a_list: bool = False) -> bytes:
    """Gemini's 429; its OpenAI-compatible route has it in a list."""
    details: list[Any] = []
    if violations is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations})
    details.append({"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Limits"}]})
    if delay is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    text = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": text, "status": "RESOURCE_EXHAUSTED", "details": details}
    found = {"error": error}
    return json.dumps([found] if in_a_list else found).encode()


def openrouter(which: str, limit: str = "50", reset: str | None = None) -> bytes:
    """OpenRouter's 429 for free models; the reset is in milliseconds since the epoch."""
    headers = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": "0"}
    if reset is not None:
        headers["X-RateLimit-Reset"] = reset
    text = f"Rate limit exceeded: {which}. Add 10 credits to unlock 1000 free model requests per day"
    error = {"message": text, "code": 429, "metadata": {"headers": headers, "provider_name": None}}
    return json.dumps({"error": error, "user_id": "user_1"}).encode()


def cloudflare(code: int | str) -> bytes:
    """Workers AI's 429: 3036 is the daily allocation, 3040 is out of capacity."""
    text = "you have used up your daily free allocation of 10,000 neurons" if code == 3036 else "capacity"
    errors = [{"code": code, "message": text}]
    return json.dumps({"errors": errors, "success": False, "result": {}, "messages": []}).encode()


def openrouter_key(used: int, limit: int) -> bytes:
    """OpenRouter's `GET /api/v1/key`."""
    day = {"used": used, "limit": limit, "remaining": limit - used}
    data = {"label": "sk-or-v1-0e6...1c2", "usage": 0, "limit": None, "free_model_daily_requests": day}
    return json.dumps({"data": data}).encode()
