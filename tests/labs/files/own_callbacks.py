"""A lab owner's callback: it writes a line to every system prompt."""

from typing import Any

from litellm.integrations.custom_logger import CustomLogger


class Handler(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Puts the house rules first."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Do what the class says."""
        if data.get("messages"):
            data["messages"] = [{"role": "system", "content": "house rules"}, *data["messages"]]
        return data


handler = Handler()
