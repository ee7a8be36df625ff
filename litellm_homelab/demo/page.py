"""The demo's page for a browser: what runs, and a form for each backend's switch; no script and no asset."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from litellm_homelab.demo.faults import ABOUT

STATUSES: Final = ("400", "401", "404", "429", "500", "503")
"""Statuses that the form offers; the others go by HTTP."""
_PAGE: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>litellm-homelab demo backends</title></head><body>
<h1>litellm-homelab demo backends</h1>
<p>Embedded, no model runs. Reload the page to see what has changed.</p>
<table border="1" cellpadding="4">
<tr><th>backend</th><th>address</th><th>models</th><th>state</th><th>requests</th><th>wakes</th><th>switch</th></tr>
{rows}
</table>
<h2>Faults</h2>
<table cellpadding="4">
{faults}
<tr><td>400 to 599</td><td>answers with this status; of a 429, seconds is its retry-after</td></tr>
</table>
<h2>By HTTP</h2>
<pre>{text}</pre>
</body></html>
"""
_ROW: Final = """\
<tr><td>{name}</td><td>{url}</td><td>{models}</td><td>{state}</td><td>{received}</td><td>{wakes}</td><td>
<form method="post" action="backends/{name}/fault">
<select name="fault"><option value="">works</option>{options}</select>
<input name="seconds" size="5" placeholder="seconds"> <input name="times" size="4" placeholder="times">
<button>Switch</button></form>
<form method="post" action="backends/{name}/wake"><button>Wake</button></form></td></tr>"""


def page(backends: Mapping[str, Mapping[str, Any]], received: Mapping[str, int], text: str) -> str:
    """The page; `backends` as ``GET /backends`` has them, `text` what a terminal gets."""
    rows = (_row(name, one, received.get(name, 0)) for name, one in backends.items())
    faults = (f"<tr><td>{kind}</td><td>{escape(about)}</td></tr>" for kind, about in ABOUT.items())
    return _PAGE.format(rows="\n".join(rows), faults="\n".join(faults), text=escape(text, quote=False))


def _row(name: str, one: Mapping[str, Any], received: int) -> str:
    fault = one["fault"]
    options = (f'<option value="{kind}">{kind}</option>' for kind in (*ABOUT, *STATUSES))
    return _ROW.format(
        name=escape(name),
        url=escape(one["url"]),
        models=escape(", ".join(one["models"]) or "-"),
        state=escape(_state(fault)) + (", limited" if one["limit"] else ""),
        received=received,
        wakes=one["wakes"],
        options="".join(options),
    )


def _state(fault: Mapping[str, Any] | None) -> str:
    if fault is None:
        return "works"
    more = (f"{fault[name]:g} {name}" for name in ("seconds", "times") if fault[name] is not None)
    return ", ".join([fault["fault"], *more])
