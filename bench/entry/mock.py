"""
The upstream of ai-gateway-bench's runs, as far as they ask it: one message, after 20 ms.

    python -m bench.entry.mock PORT
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from bench.upstream import Same, answer, serve

SECONDS: Final = 0.020
"""Its MOCK_TTFT_MS by default."""
TOKENS: Final = 40
MESSAGE: Final = {
    "id": "msg_benchmark",
    "type": "message",
    "role": "assistant",
    "model": "mock",
    "content": [{"type": "text", "text": "token " * TOKENS}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": TOKENS},
}


class Later(Same):
    """Sends the answer when its time has come."""

    def send(self) -> None:
        """Send it after `SECONDS`."""
        asyncio.get_running_loop().call_later(SECONDS, super().send)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), lambda: Later(answer(MESSAGE))))
