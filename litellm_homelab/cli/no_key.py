"""The option `--key` of commands that take a key: it says where to put one instead."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser, instead: str) -> None:
    """Add `--key`, which `--help` does not show and which is always an error; `instead` is what to do."""

    def refuse(_: str) -> str:
        raise argparse.ArgumentTypeError(f"every user of this machine can read a command line; {instead}")

    parser.add_argument("--key", type=refuse, help=argparse.SUPPRESS)
