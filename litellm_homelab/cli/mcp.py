"""``litellm-homelab mcp``: the gateway's web search and web pages as tools of an MCP client."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litellm_homelab.cli import no_key
from litellm_homelab.cli.progress import failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_homelab.mcp_server.addresses import Opening
    from litellm_homelab.mcp_server.search import SearchAddress

UNUSABLE: Final = 2
DEFAULT_URL: Final = "http://127.0.0.1:4000"
_NEEDED: Final = ("mcp", "trafilatura", "readability", "lxml")
"""Modules of the extra [mcp]."""
_EPILOG = """\
environment: LAB_KEY is a caller's key for the gateway; HOMELAB_URL is the gateway's address where --url is
not given; SSL_CERT_FILE names further certificates that are trusted; proxies are not used

exit status: 0 the client has ended it, 2 it cannot start

A client starts it and speaks with it on standard input and output. docs/mcp.md has configurations.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``mcp`` subcommand; its parsed arguments carry ``run``."""
    parser = subparsers.add_parser(
        "mcp",
        help="be an MCP server: search the web through the gateway, read web pages",
        description="Be an MCP server (stdio) with two tools: search.web asks the gateway's search route, "
        "web.fetch gives a web page as text for a model.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--url", metavar="URL", help=f"the gateway's address (default: HOMELAB_URL, or {DEFAULT_URL})"
    )
    parser.add_argument(
        "--key-env", metavar="VAR", default="LAB_KEY", help="the variable with the key (default: LAB_KEY)"
    )
    parser.add_argument("--key-file", metavar="FILE", type=Path, help="a file that contains the key")
    no_key.add(parser, "set LAB_KEY, or use --key-file")
    parser.add_argument(
        "--tool",
        metavar="NAME",
        default="searxng-search",
        help="the gateway's search tool (default: %(default)s)",
    )
    parser.add_argument(
        "--allow",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="read pages of this private address or network too: 192.168.1.5, 192.168.1.0/24, "
        "127.0.0.1:8080; may be repeated",
    )
    parser.add_argument(
        "--max-mb", metavar="N", type=_positive, default=5.0, help="of one page, unpacked (default: 5)"
    )
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_positive,
        default=20.0,
        help="seconds for reading one page (default: 20)",
    )
    parser.add_argument(
        "--underscores", action="store_true", help="name the tools search_web and web_fetch, without a dot"
    )
    parser.set_defaults(run=run)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"invalid value {text!r} (valid: a number above 0, at most 1000)")
    return number


def run(args: argparse.Namespace) -> int:
    """Serve until the client ends it; the exit status."""
    if any(find_spec(name) is None for name in _NEEDED):
        return failed(
            "mcp", "packages are missing: install the extra with pip install 'litellm-homelab[mcp]'", UNUSABLE
        )
    import anyio

    from litellm_homelab.mcp_server.addresses import AddressRule
    from litellm_homelab.mcp_server.reading import ReadingLimits
    from litellm_homelab.mcp_server.search import SearchUnusable

    try:
        address, openings = _address(args, os.environ), _openings(args.allow)
    except (SearchUnusable, ValueError) as error:
        return failed("mcp", str(error), UNUSABLE)
    from litellm_homelab.mcp_server.server import serve

    if sys.stdin.isatty():
        print("waiting for an MCP client on standard input; Ctrl-C ends it", file=sys.stderr, flush=True)
    limits = ReadingLimits(bytes=int(args.max_mb * 1e6), seconds=args.timeout)
    anyio.run(lambda: serve(address, AddressRule(openings), limits, underscores=args.underscores))
    return 0


def _openings(texts: list[str]) -> list[Opening]:
    from litellm_homelab.mcp_server.addresses import opening_of

    return [opening_of(text) for text in texts]


def _address(args: argparse.Namespace, environ: Mapping[str, str]) -> SearchAddress:
    from litellm_homelab.mcp_server.search import search_address

    url = args.url or environ.get("HOMELAB_URL") or DEFAULT_URL
    return search_address(url, args.tool, _key(args, environ))


def _key(args: argparse.Namespace, environ: Mapping[str, str]) -> str:
    from litellm_homelab.config.wording import reason

    if args.key_file is not None:
        try:
            return str(args.key_file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            raise ValueError(f"{args.key_file}: {reason(error)}") from error
    key = environ.get(args.key_env, "").strip()
    if not key:
        raise ValueError(f"no key: set {args.key_env} to a caller's key of the gateway, or use --key-file")
    return key
