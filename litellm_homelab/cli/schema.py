"""``litellm-homelab schema``: the JSON Schema of a router.yaml, for editors and validators."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``schema`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of router.yaml",
        description="Print the JSON Schema of a whole router.yaml: the `homelab:` section and LiteLLM's own "
        "sections. An editor with a YAML language server completes and checks a file whose first line is "
        "`# yaml-language-server: $schema=FILE`.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print it; 0."""
    from litellm_homelab.config import schema

    print(schema.written(), end="")
    return 0
