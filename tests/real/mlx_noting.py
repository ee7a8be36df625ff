"""``mlx_lm.server``, which also says what it loads; run by the interpreter that has mlx, never imported."""

from __future__ import annotations

from typing import Any

from mlx_lm import server

_load = server.load


def load(path: str, *args: Any, adapter_path: str | None = None, **kwargs: Any) -> Any:
    """Load a model as ever; the line starts as `tests.real.mlx.LOADED` does."""
    print("LOADED", path, *([adapter_path] if adapter_path else []), flush=True)
    return _load(path, *args, adapter_path=adapter_path, **kwargs)


if __name__ == "__main__":
    server.load = load
    server.main()
