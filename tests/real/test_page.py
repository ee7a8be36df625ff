"""The page in a real browser, on a real gateway of two workers: it updates itself and tells the truth."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from litellm_homelab.demo.config import CONTROL, DEFAULT_PORTS
from tests.real.browser import Browser, browser
from tests.real.gateway import ROUTER, Gateway, gateway
from tests.real.lane.rig import PATIENCE

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[2]
PICTURES: Final = REPOSITORY / ".cache" / "page"
"""Screenshots of the last run, for people to look at."""
AXE: Final = REPOSITORY / ".cache" / "clients" / "node_modules" / "axe-core" / "axe.min.js"
SCRIPT: Final = "<script>window.taken=1</script><img src=x onerror=window.taken=1>"
WIDGETS, ADMIN = "sk-widgets-key-01", "sk-admin-key-0001"
WAIT_SECONDS = 60
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
PEOPLE = f"""
    dashboard: {{key: {WIDGETS}, role: widgets}}
    me: {{key: {ADMIN}, role: admin}}
"""
BACKENDS = """
    gpu-box:
      at: [os.environ/VLLM_QWEN_API_BASE]
      kind: vllm
      slots: 1
      queue: {length: 20, wait_seconds: 60}
      presence: {probe_seconds: 1, timeout_seconds: 20}
    nas:
      at: [os.environ/OLLAMA_QWEN_API_BASE]
      kind: openai
      presence: {probe_seconds: 1}
    mac-mini:
      at: [os.environ/MAIN_API_BASE]
      kind: mlx
      presence: {probe_seconds: 1, timeout_seconds: 20, on_absent: wake}
      wake: {url: os.environ/WAKE_URL, wait_seconds: 60, cooldown_seconds: 60}
"""
WAKE_URL: Final = f"http://127.0.0.1:{DEFAULT_PORTS[CONTROL]}/backends/mlx/wake"


def config(folder: Path) -> Path:
    """The shipped router.yaml with the page, its callers, and two backends that are watched."""
    text = ROUTER.read_text(encoding="utf-8")
    callers, _, rest = text.partition("\n  callers:\n")
    rest = f"\n  callers:{PEOPLE}{rest}"
    before, _, after = rest.partition("\n  backends:\n")
    after = after.partition("\n  timeouts:")[2]
    page = "" if "\n  page: true" in text else "\n  page: true"
    text = f"{callers}{before}{page}\n  backends:{BACKENDS}\n  timeouts:{after}"
    text = text.replace("[{requests: 6000, per: day}]", "[{requests: 10, per: day}]")
    (folder / "router.yaml").write_text(text, encoding="utf-8")
    shutil.copy(ROUTER.parent / "registry.json", folder)
    return folder / "router.yaml"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Two workers on one SQLite file, the demo behind them."""
    folder = tmp_path_factory.mktemp("page")
    samples = folder / "samples"
    samples.mkdir()
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(samples), "WAKE_URL": WAKE_URL}
    with gateway(config(folder), environ=environ, arguments=("--num_workers", "2", *PATIENCE)) as found:
        until(lambda: view(found)["gateway"]["workers_seen"] == 2, "both workers have reported")
        yield found


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    """A browser."""
    with browser() as found:
        yield found


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {WAIT_SECONDS} s: {what}"
        time.sleep(0.2)


def view(running: Gateway, key: str = ADMIN) -> dict[str, Any]:
    """What the page shows, from either worker: each question is a connection of its own."""
    answer = httpx.get(f"{running.url}/homelab.json", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def chat(running: Gateway, model: str, key: str = "", **fields: object) -> int:
    """One question over a connection of its own, so that both workers get some."""
    body = {"model": model, "messages": [{"role": "user", "content": "tell me something"}], **fields}
    headers = {"Authorization": f"Bearer {key or running.key}"}
    return httpx.post(
        f"{running.url}/v1/chat/completions", json=body, headers=headers, timeout=60
    ).status_code


def row(found: dict[str, Any], list_name: str, name: str) -> dict[str, Any]:
    """The entry of a name."""
    one: dict[str, Any] = next(one for one in found[list_name] if one["name"] == name)
    return one


def listed(found: dict[str, Any], kind: str) -> int:
    """How many refusals of a type the list has."""
    return sum(int(one["times"]) for one in found["refusals"] if one["type"] == kind)


# --- the truth ---------------------------------------------------------------------------------------


def test_two_workers_have_one_truth(running: Gateway) -> None:
    """Refusals, loops and a quota of both workers add up, whichever of them is asked."""
    before = view(running)["counts"]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: chat(running, "no-such-model"), range(40))) == {404}
        served = list(pool.map(lambda _: chat(running, "groq/llama-3.3-70b-versatile"), range(4)))
        optillm = running.environ["OPTILLM_UPSTREAM_KEY"]
        looped = list(pool.map(lambda _: chat(running, "boost", optillm), range(3)))
    assert (served, looped) == ([200] * 4, [400] * 3)

    def is_counted() -> bool:
        counts = view(running)["counts"]
        refusals = counts["refusals_24h"] - before["refusals_24h"]
        loops = counts["loops_blocked_24h"] - before["loops_blocked_24h"]
        assert refusals <= 43
        assert loops <= 3
        return (refusals, loops) == (43, 3)

    until(is_counted, "43 refusals and 3 loops")
    for _ in range(6):  # either worker answers
        found = view(running)
        assert found["gateway"]["is_exact"]
        assert row(found, "quotas", "groq-llama")["used"] == 4
    until(lambda: listed(view(running), "loop_detected") == 3, "the list has the refusals of both workers")


def test_a_queue_and_a_server_that_goes_and_comes_back(running: Gateway) -> None:
    """Who waits is seen while they wait; a server is absent when it is gone, and up when it is back."""
    running.demo.fault("vllm", "slow", seconds=2.0)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(chat, running, "vllm-qwen") for _ in range(4)]

        def is_queued() -> bool:
            gpu = row(view(running), "backends", "gpu-box")  # one look: between two a slot changes hands
            return (gpu["waiting"], gpu["slots_used"]) == (3, 1)

        until(is_queued, "one is served and three wait")
        assert [one.result() for one in asked] == [200] * 4
    running.demo.clear_fault("vllm")
    until(lambda: row(view(running), "backends", "nas")["state"] == "up", "the NAS is up")
    running.demo.fault("ollama", "down")
    absent: list[dict[str, Any]] = []

    def is_absent() -> bool:
        absent[:] = [view(running)]  # one look: the other worker may answer with that of a second ago
        return bool(row(absent[0], "backends", "nas")["state"] == "absent")

    until(is_absent, "the NAS is absent")
    assert row(absent[0], "handles", "lil-jerry")["state"] == "absent"
    assert any("nas is not reachable" in one["what"] for one in absent[0]["problems"])
    running.demo.clear_fault("ollama")
    until(lambda: row(view(running), "backends", "nas")["state"] == "up", "the NAS is up again")


# --- the browser -------------------------------------------------------------------------------------


def log_in(tab: Browser, running: Gateway) -> None:
    """Open the page and send the form, as a person does."""
    tab.open(f"{running.url}/homelab")
    if tab.evaluate("document.getElementById('key') !== null"):
        tab.evaluate("document.getElementById('key').focus()")
        tab.call("Input.insertText", text=running.key)
        tab.evaluate("document.querySelector('button').click()")
    tab.until("document.querySelector('[data-list=handles] table')")


def text_of(tab: Browser, selector: str) -> str:
    """The text of an element."""
    return str(tab.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))


def test_it_logs_in_and_updates_itself(running: Gateway, tab: Browser) -> None:
    """A refusal that happens while the page is open appears on it, as text whatever is written in it."""
    log_in(tab, running)
    assert chat(running, SCRIPT) == 404
    tab.until(f"document.querySelector('[data-list=refusals]').textContent.includes({json.dumps(SCRIPT)})")
    tab.until("document.querySelector('[data-list=map] svg path.refused')")
    assert tab.evaluate(
        "window.taken === undefined && document.querySelector('main img, main script') === null"
    )
    assert text_of(tab, "#freshness") == "Live"
    running.demo.fault("ollama", "down")
    tab.until("document.querySelector('[data-list=problems]').textContent.includes('nas is not reachable')")
    tab.until("document.getElementById('announce').textContent.includes('nas is not reachable')")
    running.demo.clear_fault("ollama")


def cell(list_name: str, name: str, title: str) -> str:
    """JavaScript for the text of a cell: of the row of a name, in the column of a title."""
    rows = f"[...document.querySelectorAll('[data-list={list_name}] tbody tr')]"
    row_of = f"{rows}.find((one) => one.firstChild.textContent === {json.dumps(name)})"
    return f"({row_of}?.querySelector('[data-name={json.dumps(title)}]')?.textContent || '')"


def used(tab: Browser, quota: str) -> int:
    """How much of a quota the page shows as used."""
    return int(str(tab.evaluate(cell("quotas", quota, "Used"))).partition(" ")[0])


def test_a_queue_a_quota_and_a_loop_are_seen_live(running: Gateway, tab: Browser) -> None:
    """Each appears on the open page by itself, and so does its end."""
    log_in(tab, running)
    before = used(tab, "groq-llama")
    running.demo.fault("vllm", "slow", seconds=3.0)
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(chat, running, "vllm-qwen") for _ in range(3)]
        assert [chat(running, "groq/llama-3.3-70b-versatile") for _ in range(2)] == [200, 200]
        assert chat(running, "boost", running.environ["OPTILLM_UPSTREAM_KEY"]) == 400
        tab.until(f"Number({cell('backends', 'gpu-box', 'Waiting')}) > 0")
        tab.until(f"{cell('backends', 'gpu-box', 'In use')} === '1 of 1'")
        assert [one.result() for one in waiting] == [200] * 3
    running.demo.clear_fault("vllm")
    tab.until(f"{cell('backends', 'gpu-box', 'In use')} === '0 of 1'")
    tab.until("document.querySelector('[data-list=refusals]').textContent.includes('loop_detected')")
    tab.until("!document.getElementById('counts').textContent.includes(' 0 blocked loops')")
    tab.wait(lambda: used(tab, "groq-llama") == before + 2, "two more requests of the quota")


def test_a_server_that_sleeps_is_seen_to_wake(running: Gateway, tab: Browser) -> None:
    """Asleep, waking for as long as it takes, and up: on the backend and on its handle."""
    log_in(tab, running)
    state, handle = cell("backends", "mac-mini", "State"), cell("handles", "main", "State")
    tab.until(f"{state}.startsWith('up') && {handle} === 'up'")
    running.demo.fault("mlx", "asleep", seconds=5.0)
    tab.until(f"{state}.startsWith('asleep') && {handle} === 'asleep'")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(chat, running, "main")
        tab.until(f"{state}.startsWith('waking') && {handle} === 'waking'")
        assert asked.result() == 200
    assert running.demo.wakes("mlx") == 1
    tab.until(f"{state}.startsWith('up') && {handle} === 'up'")


ROOTS: Final = """
[...document.querySelectorAll('[data-list=roots] tbody tr')].map((one) => [
  one.firstChild.textContent, one.querySelector('[data-name=Calls]').textContent])
"""
"""Each request through OptiLLM that the page shows, with its calls."""


def test_a_request_through_optillm_is_seen_to_grow(running: Gateway, tab: Browser) -> None:
    """Its calls back are counted on the page while it runs, and it leaves the page when it has ended."""
    log_in(tab, running)
    running.demo.fault("mlx", "slow", seconds=2.5)
    seen: dict[str, set[str]] = {}

    def has_grown() -> bool:
        for root, calls in tab.evaluate(ROOTS):
            seen.setdefault(root, set()).add(calls)
        return any(len(calls) > 1 for calls in seen.values())

    with ThreadPoolExecutor(1) as pool:
        asked = [pool.submit(chat, running, "boost", optillm_approach="moa") for _ in range(4)]
        tab.wait(has_grown, "a request with more calls than before")
        for one in asked[1:]:
            one.cancel()
        running.demo.clear_fault("mlx")
        assert asked[0].result() == 200
    tab.until("document.querySelector('[data-list=roots]').textContent === 'None is under way.'")


def test_nothing_leaves_the_origin_and_the_policy_keeps_nothing_back(running: Gateway, tab: Browser) -> None:
    """Every request is the gateway's, and the console has no complaint."""
    log_in(tab, running)
    assert {one for one in tab.requested() if not one.startswith((running.url, "data:", "about:"))} == set()
    assert tab.complaints() == []


FULL_TABLES = """
const before = window.fetch;
window.fetch = async (...asked) => {
  const answer = await before(...asked);
  const view = await answer.clone().json().catch(() => null);
  if (!view || !view.quotas) return answer;
  const later = new Date(Date.now() + 30 * 86400000).toISOString();
  for (const one of view.quotas) { one.used_up_at = later; one.resets_at = later; }
  return new Response(JSON.stringify(view), { status: answer.status, headers: answer.headers });
};
"""
"""Fills the columns that are empty at most times of day, with dates, their longest texts."""


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_fits_a_phone_and_a_desktop_in_light_and_dark(
    running: Gateway, tab: Browser, width: int, scheme: str
) -> None:
    """Nothing is wider than the window, whatever the hour; a picture of each is kept."""
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=FULL_TABLES)
    log_in(tab, running)
    tab.looks(width, 900, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    wide = (
        "[...document.querySelectorAll('section')].filter((one) => one.scrollWidth > one.clientWidth).length"
    )
    assert tab.evaluate(wide) == 0
    PICTURES.mkdir(parents=True, exist_ok=True)
    tab.picture(PICTURES / f"{width}-{scheme}.png")


@pytest.mark.parametrize("place", ["page", "login"])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_serious(
    running: Gateway, tab: Browser, width: int, scheme: str, place: str
) -> None:
    """Contrast, names, landmarks, headings: what axe-core calls serious or critical is not there."""
    tab.call("Page.setBypassCSP", enabled=True)  # else axe could not be put into the page
    tab.looks(width, 900, scheme)
    if place == "page":
        log_in(tab, running)
    else:
        tab.call("Network.clearBrowserCookies")
        tab.open(f"{running.url}/homelab")
    tab.evaluate(f"{AXE.read_text(encoding='utf-8')};0")
    found = tab.evaluate("axe.run().then((one) => one.violations)")
    tab.call("Page.setBypassCSP", enabled=False)
    serious = [one for one in found if one["impact"] in {"serious", "critical"}]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in serious] == []


def test_it_is_used_by_keyboard(running: Gateway, tab: Browser) -> None:
    """The first stop skips to the problems; every stop after it can be seen."""
    log_in(tab, running)
    stops = []
    for _ in range(4):
        tab.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        tab.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stops.append(tab.evaluate("document.activeElement.className || document.activeElement.tagName"))
    assert stops[:3] == ["skip", "plain", "map"]


def test_it_says_that_it_is_stale(running: Gateway, tab: Browser) -> None:
    """Where the gateway does not answer any more; it goes on when it does."""
    log_in(tab, running)
    tab.until("document.getElementById('freshness').textContent === 'Live'")
    limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.call("Network.emulateNetworkConditions", offline=True, **limits)
    tab.until("document.getElementById('freshness').textContent.startsWith('Stale: last update')")
    tab.call("Network.emulateNetworkConditions", offline=False, **limits)
    tab.until("document.getElementById('freshness').textContent === 'Live'")


def test_a_session_that_has_ended_leads_to_the_form(running: Gateway, tab: Browser) -> None:
    """The open page goes back to the login by itself, and shows nothing of what it knew."""
    log_in(tab, running)
    tab.call("Network.clearBrowserCookies")
    tab.until("document.getElementById('key') !== null && document.querySelector('main table') === null")
