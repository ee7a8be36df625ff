"""A real ``mlx_lm.server`` on this machine's CPU, with a tiny model made on the spot."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.gateway import free_port
from tests.real.server import REPOSITORY, VENVS, running

MLX = VENVS / "mlx" / "bin"
BUILDER = Path(__file__).with_name("tiny_model.py")
NOTING = Path(__file__).with_name("mlx_noting.py")
"""The same server, which writes to its log what it loads."""

LOADED = "LOADED "


@dataclass(frozen=True, slots=True)
class MlxServer:
    """A running server: ``api_base`` ends in /v1, ``model`` is the name it knows its model by; its log."""

    api_base: str
    model: str
    log: Path

    @property
    def loaded(self) -> set[str]:
        """What it has loaded so far: each folder, with the folder of an adapter where there was one."""
        lines = self.log.read_text(errors="replace").splitlines()
        return {line.removeprefix(LOADED) for line in lines if line.startswith(LOADED)}


@contextmanager
def mlx_server(*, noting: bool = False) -> Iterator[MlxServer]:
    """
    Run the server for the length of the block; the model is built once per state of its builder.

    With `noting`, its log says what it loads (`MlxServer.loaded`).
    """
    folder, port = tiny_model().resolve(), free_port()  # the server lists its model's resolved path
    environ = {
        # What it is asked for by another name it would look for on the internet.
        "HF_HUB_OFFLINE": "1",
        # /v1/models breaks off without an answer when this folder is missing (measured on mlx-lm 0.32.2), and
        # reads what is in it: the model's own, which does not change, not the one where models are built.
        "HF_HUB_CACHE": str(folder),
        # MLX compiles kernels with g++ on a CPU, and ends its worker where there is none (mlx 0.32.4).
        "MLX_DISABLE_COMPILE": "1",
    }
    # -P: this folder, where a module is named mlx too, stays off its path.
    program: list[str | Path] = [MLX / "python", "-P", NOTING] if noting else [MLX / "mlx_lm.server"]
    command: list[str | Path] = [
        *program,
        "--model",
        folder,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with running("mlx_lm.server", command, environ, health=f"http://127.0.0.1:{port}/health") as child:
        yield MlxServer(api_base=f"http://127.0.0.1:{port}/v1", model=str(folder), log=child.log)


def tiny_model() -> Path:
    """The folder of the model, under ``.cache/models``, named by what it is made from."""
    sources = (BUILDER, REPOSITORY / "requirements" / "mlx.txt")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = REPOSITORY / ".cache" / "models" / f"tiny-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            built = Path(scratch) / "model"
            built.mkdir()
            # -P: this folder, where a module is named mlx too, stays off its path.
            subprocess.run([MLX / "python", "-P", BUILDER, built], check=True, timeout=120)
            _move(built, folder)
    return folder


def _move(built: Path, folder: Path) -> None:
    """Put a finished folder in its place in one step; another process may have been first."""
    try:
        built.rename(folder)
    except OSError:
        if not folder.exists():
            raise
