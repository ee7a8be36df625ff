"""A lab owner's guardrail."""

from typing import Any

from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail


class NoFruit(CustomGuardrail):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Refuses prompts about bananas."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Do what the class says."""
        if "banana" in str(data.get("messages")):
            raise HTTPException(status_code=400, detail={"error": "no fruit"})
        return data
