"""The page over stock LiteLLM: login, sessions, who sees what, and what is on it."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from litellm_homelab import page, state
from litellm_homelab.access.callers import Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.access.table import Access, reviewed
from litellm_homelab.adapter.middleware.page import ASSETS, HEADERS, Page
from litellm_homelab.adapter.page import board
from litellm_homelab.adapter.page.board import JsonText
from litellm_homelab.adapter.page.logouts import Logouts
from litellm_homelab.config.sections import digest
from litellm_homelab.page.tries import MOST
from litellm_homelab.state.memory import MemoryStore
from litellm_homelab.state.store import Store
from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.mock_proxy import MASTER_KEY
from tests.adapter.lane import document, group, proxy_on

KEYS = {
    "master": MASTER_KEY,
    "me": "sk-admin-key-0001",
    "dashboard": "sk-widgets-key-01",
    "app": "sk-app-key-000001",
    "optillm": "sk-optillm-key-01",
    "prometheus": "sk-metrics-key-01",
}
CALLERS: dict[str, dict[str, Any]] = {
    "me": {"key": KEYS["me"], "role": "admin"},
    "dashboard": {"key": KEYS["dashboard"], "role": "widgets"},
    "app": {"key": KEYS["app"], "handles": ["main", "boost"]},
    "optillm": {"key": KEYS["optillm"], "role": "optillm"},
    "prometheus": {"key": KEYS["prometheus"], "role": "metrics"},
}
SCRIPT = "<script>alert(1)</script>"
FORM = {"content-type": "application/x-www-form-urlencoded"}
NAMES = ("main", "cloud", "boost", "base", "127.0.0.1", "real-main", "app", "dashboard")


def config() -> dict[str, Any]:
    """A chain, an OptiLLM, a queue, a quota, and every kind of caller."""
    models = [
        group("main", api_base="http://127.0.0.1:8000/v1"),
        group("cloud", api_base="http://127.0.0.1:9000/v1"),
        group("boost", api_base="http://127.0.0.1:8100/v1", model="openai/base"),
        group("base", api_base="http://127.0.0.1:8000/v1"),
    ]
    lane = {"approaches": ["none", "moa"], "max_calls": 8}
    found = document(models, {"boost": lane}, fallbacks={"main": ["cloud"]}, callers=CALLERS)
    found["homelab"] |= {
        "page": True,
        "backends": {"gpu": {"at": ["http://127.0.0.1:8000"], "slots": 2}},
        "quotas": {"free": {"groups": ["cloud"], "windows": [{"requests": 50, "per": "day"}]}},
    }
    return found


@pytest.fixture
async def proxy(tmp_path: Path, quiet: None) -> AsyncIterator[MockProxy]:
    """The mocked proxy on `config`."""
    async with proxy_on(tmp_path, config()) as found:
        yield found


async def ask(proxy: MockProxy, path: str, who: str = "", method: str = "GET", **headers: str) -> Response:
    """One request, with a caller's key or without any."""
    key = KEYS.get(who, who)
    sent = {"Authorization": f"Bearer {key}" if key else "", **headers}
    return (await proxy.request(method, path, headers=sent)).response


async def log_in(proxy: MockProxy, key: str, **headers: str) -> Response:
    """Send the form."""
    answer = await proxy.request(
        "POST", "/homelab/login", data={"key": key}, headers={"Authorization": "", **headers}
    )
    return answer.response


def cookie_of(answer: Response) -> str:
    """The cookie that a login has set, as a browser sends it."""
    return answer.headers.get_list("set-cookie")[0].partition(";")[0]


# --- who sees what -----------------------------------------------------------------------------------

SEEN = {
    "/homelab": {"master": 200, "me": 200, "": 401},
    "/homelab.json": {"master": 200, "me": 200, "": 401},
    "/homelab/widget.json": {"master": 200, "me": 200, "dashboard": 200, "": 401},
}
"""What is not here is a 403 for a key that is known, and a 401 for one that is not."""


@pytest.mark.parametrize("who", [*KEYS, "", "sk-unknown-key-01"])
async def test_whoever_is_not_admin_sees_nothing(proxy: MockProxy, who: str) -> None:
    """By header: the master key and role admin see the page, role widgets its own object."""
    for path, by_role in SEEN.items():
        answer = await ask(proxy, path, who)
        assert answer.status_code == by_role.get(who, 403 if who in KEYS else 401), path
        if answer.status_code != 200:
            shown = re.sub("<[^>]*>", "", answer.text)  # `main` is an element, too
            assert [name for name in NAMES if re.search(rf"\b{re.escape(name)}\b", shown)] == [], path


async def test_a_reading_key_reads_nothing_else(proxy: MockProxy) -> None:
    """And role admin may what a client may."""
    assert (await ask(proxy, "/v1/models", "dashboard")).status_code == 403
    assert (await ask(proxy, "/metrics/", "dashboard")).status_code == 403
    assert (await ask(proxy, "/metrics/", "me")).status_code == 403
    listed = (await ask(proxy, "/v1/models", "me")).json()["data"]
    assert [one["id"] for one in listed] == ["main", "cloud", "boost"]
    assert (await ask(proxy, "/key/info", "me")).status_code == 403


@pytest.mark.parametrize("path", ["/homelab/x", "/homelab/login", "/homelab/page.html", "/homelab/v1/models"])
async def test_what_is_not_a_route_of_the_page_is_closed(proxy: MockProxy, path: str) -> None:
    """Also with the master key."""
    answer = await ask(proxy, path, "master")
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "route_not_allowed")


async def test_other_paths_are_litellms(proxy: MockProxy) -> None:
    """A path that only begins like the page's is none of it."""
    for path in ("/homelabs", "/homelab.jsonx", "/x/homelab"):
        answer = await ask(proxy, path, "master")
        assert answer.status_code == 404
        assert "default-src" not in answer.headers["content-security-policy"]


async def test_the_table_has_every_route_of_the_page(proxy: MockProxy) -> None:
    """Each answers an admin, and none of LiteLLM's is among them."""
    kinds = {Access.LOGIN, Access.PAGE, Access.WIDGETS}
    routes = [key for key, kind in reviewed().items() if kind in kinds]
    assert {path for _, path in routes} == {*SEEN, *ASSETS, "/homelab/login", "/homelab/logout"}
    for method, path in routes:
        if method != "POST":
            answer = await ask(proxy, path, "me", method)
            assert answer.status_code == 200, path


async def test_without_the_setting_there_is_no_page(tmp_path: Path, quiet: None) -> None:
    """LiteLLM answers as to any path that it does not have."""
    found = config()
    del found["homelab"]["page"]
    async with proxy_on(tmp_path, found) as proxy:
        for path in (*SEEN, *ASSETS):
            assert (await ask(proxy, path, "master")).status_code == 404


# --- login -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["master", "me"])
async def test_a_login_gives_a_session(proxy: MockProxy, who: str) -> None:
    """The cookie is for the page's paths, no script reads it, and no other site sends it."""
    answer = await log_in(proxy, KEYS[who])
    assert (answer.status_code, answer.headers["location"]) == (303, "../homelab")
    cookies = answer.headers.get_list("set-cookie")
    assert {re.search(r"Path=([^;]+)", one)[1] for one in cookies} == {"/homelab", "/homelab.json"}  # type: ignore[index]
    for cookie in cookies:
        assert {"httponly", "samesite=strict", "max-age=43200"} <= set(cookie.lower().split("; "))
        assert "Secure" not in cookie
        assert KEYS[who] not in cookie
    session = cookie_of(answer)
    for path in SEEN:
        assert (await ask(proxy, path, cookie=session)).status_code == 200


async def test_a_session_is_good_for_reading_the_page_and_nothing_else(proxy: MockProxy) -> None:
    """LiteLLM's routes do not know it, and a wrong key beside it counts."""
    session = cookie_of(await log_in(proxy, MASTER_KEY))
    for path in ("/v1/models", "/metrics/", "/key/info"):
        assert (await ask(proxy, path, cookie=session)).status_code == 401
    assert (await ask(proxy, "/homelab.json", "sk-unknown-key-01", cookie=session)).status_code == 401
    assert (await ask(proxy, "/homelab.json", "app", cookie=session)).status_code == 403
    changed = session[:-1] + ("0" if session[-1] != "0" else "1")
    assert (await ask(proxy, "/homelab.json", cookie=changed)).status_code == 401


async def test_over_https_the_cookie_is_secure(proxy: MockProxy) -> None:
    """As a reverse proxy says."""
    answer = await log_in(proxy, MASTER_KEY, **{"x-forwarded-proto": "https"})
    assert all("Secure" in one for one in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(("key", "status"), [("sk-unknown-key-01", 401), ("", 401), (KEYS["app"], 403)])
async def test_a_wrong_key_gets_the_form_again(proxy: MockProxy, key: str, status: int) -> None:
    """With a sentence, and without a cookie."""
    answer = await log_in(proxy, key)
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, False)
    assert 'role="alert"' in answer.text
    assert not key or key not in answer.text


async def test_a_key_in_the_url_is_no_key(proxy: MockProxy) -> None:
    """It would be in logs and in histories."""
    for path in ("/homelab", "/homelab.json"):
        assert (await ask(proxy, f"{path}?key={MASTER_KEY}")).status_code == 401
    answer = await proxy.request(
        "POST", f"/homelab/login?key={MASTER_KEY}", headers={"Authorization": "", **FORM}
    )
    assert answer.status == 401


async def test_failures_are_limited(proxy: MockProxy) -> None:
    """After ten of them even the right key has to wait, and the answer says for how long."""
    for _ in range(MOST):
        assert (await log_in(proxy, "sk-unknown-key-01")).status_code == 401
    answer = await log_in(proxy, MASTER_KEY)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert (await ask(proxy, "/homelab.json", "master")).status_code == 200


ELSEWHERE = {
    "another-site": ({"sec-fetch-site": "cross-site", "origin": "http://evil.example"}, 403),
    "same-site": ({"sec-fetch-site": "same-site", "origin": "http://gateway:8080"}, 403),
    "another-origin": ({"origin": "http://evil.example"}, 403),
    "another-port": ({"origin": "http://gateway:8080"}, 403),
    "no-origin": ({"origin": "null"}, 403),
    "own-origin": ({"origin": "http://gateway"}, 303),
    "behind-a-proxy": ({"origin": "https://llm.home", "x-forwarded-host": "llm.home"}, 303),
    "own-page": ({"sec-fetch-site": "same-origin", "origin": "http://gateway"}, 303),
    "a-program": ({}, 303),
}


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_a_form_of_another_site_is_refused(proxy: MockProxy, case: str) -> None:
    """It would log a visitor in, or out."""
    headers, status = ELSEWHERE[case]
    assert (await log_in(proxy, MASTER_KEY, **headers)).status_code == status
    out = await proxy.request("POST", "/homelab/logout", headers={"Authorization": "", **headers})
    assert out.status == status


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b'{"key": "x"}', "application/json", id="json"),
        pytest.param(b"key=" + b"x" * 9000, FORM["content-type"], id="large"),
        pytest.param(b"key=\xff\xfe", FORM["content-type"], id="no-text"),
        pytest.param(b"&".join(b"a=1" for _ in range(99)), FORM["content-type"], id="many"),
    ],
)
async def test_what_is_no_form_is_a_400(proxy: MockProxy, body: bytes, kind: str) -> None:
    """Nothing of it is looked at."""
    answer = await proxy.request(
        "POST", "/homelab/login", content=body, headers={"Authorization": "", "content-type": kind}
    )
    assert answer.status == 400


async def test_a_logout_takes_the_cookies_back(proxy: MockProxy) -> None:
    """Both of them."""
    answer = await proxy.request("POST", "/homelab/logout", headers={"Authorization": ""})
    cookies = answer.response.headers.get_list("set-cookie")
    assert answer.status == 303
    assert all("Max-Age=0" in one for one in cookies)
    assert len(cookies) == 2


async def test_a_logout_ends_its_session(proxy: MockProxy) -> None:
    """A copy of its cookie is good for nothing any more; another login of the same key goes on."""
    session, other = [cookie_of(await log_in(proxy, KEYS["me"])) for _ in range(2)]
    for path in SEEN:
        assert (await ask(proxy, path, cookie=session)).status_code == 200
    out = await proxy.request("POST", "/homelab/logout", headers={"Authorization": "", "cookie": session})
    assert out.status == 303
    for path in SEEN:
        assert (await ask(proxy, path, cookie=session)).status_code == 401
        assert (await ask(proxy, path, cookie=other)).status_code == 200
        assert (await ask(proxy, path, cookie=f"{session}; {other}")).status_code == 200


async def test_a_logout_from_elsewhere_or_without_a_session_ends_nothing(proxy: MockProxy) -> None:
    """Another site cannot end a session, and a made-up cookie leaves nothing in the store."""
    session = cookie_of(await log_in(proxy, KEYS["me"]))
    sent = {"Authorization": "", "cookie": session, "origin": "http://evil.example"}
    assert (await proxy.request("POST", "/homelab/logout", headers=sent)).status == 403
    made_up = {"Authorization": "", "cookie": session[:-1] + ("0" if session[-1] != "0" else "1")}
    assert (await proxy.request("POST", "/homelab/logout", headers=made_up)).status == 303
    assert (await ask(proxy, "/homelab.json", cookie=session)).status_code == 200


# --- answers -----------------------------------------------------------------------------------------


async def test_every_answer_has_the_headers_that_keep_browsers_safe(proxy: MockProxy) -> None:
    """Pages, JSON, assets, refusals, redirects; and none lets another origin read it."""
    answers = [
        await ask(proxy, path, who, origin="http://evil.example")
        for path in (*SEEN, *ASSETS, "/homelab/", "/homelab/x")
        for who in ("master", "app", "")
    ]
    answers.append(await log_in(proxy, MASTER_KEY))
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_an_unchanged_document_is_not_sent_again(proxy: MockProxy) -> None:
    """As the entity tag says, weak or strong, alone or in a list."""
    first = await ask(proxy, "/homelab.json", "master")
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await ask(proxy, "/homelab.json", "master", **{"if-none-match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await ask(proxy, "/homelab.json", "master", **{"if-none-match": '"other"'})).status_code == 200


async def test_links_are_relative(proxy: MockProxy) -> None:
    """So the page works below a prefix; nothing on it is from elsewhere."""
    session = cookie_of(await log_in(proxy, MASTER_KEY))
    texts = [(await ask(proxy, "/homelab", cookie=session)).text, (await ask(proxy, "/homelab")).text]
    texts.append((await log_in(proxy, "sk-unknown-key-01")).text)
    for text in texts:
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', text):
            assert not re.match(r"/|[a-z]+:", link), link
        assert "style=" not in text
        assert "onclick" not in text
        assert re.findall(r"<script[^>]*>[^<]", text) == []
    assert (await ask(proxy, "/homelab/", "master")).headers["location"] == "../homelab"


class Nothing:
    """Documents of a gateway that has nothing to show."""

    async def page(self) -> JsonText:
        """Say so."""
        return JsonText.of({})

    widget = page


@pytest.mark.parametrize("whole", [True, False], ids=["path-with-prefix", "path-without"])
async def test_it_works_below_a_path(whole: bool) -> None:
    """Where a proxy puts the gateway below `/llm`, and LiteLLM's SERVER_ROOT_PATH says so."""
    logouts = Logouts(MemoryStore())
    page = Page(Gate(), Keyring((), digest(MASTER_KEY)), "a-secret-of-the-gateway", Nothing(), logouts)
    prefix = "/llm" if whole else ""
    assert page.serves({"type": "http", "path": f"{prefix}/homelab.json", "root_path": "/llm"})
    assert not page.serves({"type": "http", "path": f"{prefix}/v1/models", "root_path": "/llm"})
    transport = ASGITransport(page, root_path="/llm")
    async with AsyncClient(transport=transport, base_url=f"http://gateway{prefix}") as client:
        answer = await client.post("/homelab/login", data={"key": MASTER_KEY})
        cookies = answer.headers.get_list("set-cookie")
        assert ["Path=/llm/homelab;" in cookies[0], "Path=/llm/homelab.json;" in cookies[1]] == [True, True]
        asked = await client.get("/homelab.json", headers={"cookie": cookie_of(answer)})
        assert (asked.status_code, asked.json()) == (200, {})


def test_the_script_writes_text_and_no_markup() -> None:
    """A name with markup in it stays a name."""
    source = (Path(__file__).parents[3] / "litellm_homelab/page/static/page.js").read_text(encoding="utf-8")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "srcdoc",
    ):
        assert word not in source


async def test_a_page_that_breaks_is_a_refusal_with_the_same_headers(
    proxy: MockProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the error is in it."""
    from litellm_homelab.page import model

    def broken(_: object) -> None:
        raise RuntimeError(MASTER_KEY)

    monkeypatch.setattr(model, "view", broken)
    answer = await ask(proxy, "/homelab.json", "master")
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "policy_error")
    assert MASTER_KEY not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


# --- what is on it -------------------------------------------------------------------------------------


async def test_the_json_has_what_happened(proxy: MockProxy) -> None:
    """Handles, the chain, the queue, the quota, who was refused what and why."""
    await proxy.chat("main")
    proxy.upstream("main").fails(503)
    await proxy.chat("main")
    refused = await proxy.post(
        "/v1/chat/completions",
        {"model": SCRIPT, "messages": [{"role": "user", "content": "hello"}]},
        headers={"Authorization": f"Bearer {KEYS['app']}"},
    )
    assert refused.status == 404
    found = (await ask(proxy, "/homelab.json", "master")).json()
    assert [one["name"] for one in found["handles"]] == ["main", "cloud", "boost", "base"]
    assert found["handles"][0]["fallbacks"] == ["cloud"]
    gpu = next(one for one in found["backends"] if one["name"] == "gpu")
    assert (gpu["slots"], gpu["slots_used"], gpu["waiting"], gpu["handles"]) == (2, 0, 0, ["main", "base"])
    (quota,) = found["quotas"]
    assert (quota["name"], quota["used"], quota["limit"], quota["left"]) == ("free", 1, 50, 49)
    last = found["refusals"][0]
    assert (last["type"], last["caller"], last["status"]) == ("model_not_found", "app", 404)
    assert SCRIPT in last["message"]
    assert found["counts"]["refusals_24h"] == 1
    edges = {(one["source"], one["target"], one["kind"]) for one in found["map"]["edges"]}
    assert ("backend:http://loopback:8100", "group:base", "calls_back") in edges
    assert ("caller:app", "any:no such name", "refused") in edges
    widget = (await ask(proxy, "/homelab/widget.json", "dashboard")).json()
    assert (widget["refusals_24h"], widget["handles_total"], widget["last_refusal"]) == (
        1,
        3,
        "model_not_found",
    )


async def test_a_request_through_optillm_is_seen_while_it_is_under_way(proxy: MockProxy) -> None:
    """With its handle, approach and caller; afterwards it is gone."""
    upstream = proxy.upstream("boost")
    held = upstream.holds()
    asked = asyncio.create_task(proxy.chat("boost", optillm_approach="moa"))
    async with asyncio.timeout(60):
        while not upstream.requests:  # noqa: ASYNC110 - what the upstream has received sets no event
            await asyncio.sleep(0.01)
    (root,) = (await ask(proxy, "/homelab.json", "master")).json()["roots"]
    assert (root["handle"], root["approach"], root["caller"], root["max_calls"]) == (
        "boost",
        "moa",
        "master",
        8,
    )
    held.set()
    await asked
    await asyncio.sleep(1.1)
    assert (await ask(proxy, "/homelab.json", "master")).json()["roots"] == []


async def test_a_refused_login_is_seen(proxy: MockProxy) -> None:
    """In the list and in the metrics, without the key."""
    await log_in(proxy, "sk-unknown-key-01")
    found = (await ask(proxy, "/homelab.json", "master")).json()["refusals"]
    assert [(one["type"], one["rule"], one["caller"]) for one in found] == [
        ("authentication_error", "page", "other")
    ]
    assert "sk-unknown" not in str(found)


# --- what it costs -------------------------------------------------------------------------------------


class Asked(MemoryStore):
    """Notes each operation, and what it is about."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[str, str]] = []

    def __getattribute__(self, name: str) -> Any:
        """An operation of the interface is noted when it is called."""
        found = super().__getattribute__(name)
        if name not in vars(Store) or name.startswith("_"):
            return found

        def noted(*args: Any, **kwargs: Any) -> Any:
            self.operations.append((name, re.sub(r"[0-9a-f]{8,}", "ID", str(args[:1]))))
            return found(*args, **kwargs)

        return noted


REQUESTS = ({"model": "main"}, {"model": "cloud"}, {"model": "boost", "optillm_approach": "moa"})


async def operations(folder: Path, monkeypatch: pytest.MonkeyPatch, *, page: bool) -> list[tuple[str, str]]:
    """What a worker asks the store for while it serves requests while the page is closed."""
    store = Asked()
    monkeypatch.setattr(state, "connect", lambda _: store)
    content = config()
    content["homelab"] |= {"page": page, "state": "sqlite:///homelab.db"}
    async with proxy_on(folder, content) as proxy:
        for one in REQUESTS:
            body = {**one, "messages": [{"role": "user", "content": "hello"}]}
            assert (await proxy.request("POST", "/v1/chat/completions", json=body)).status == 200
        found = [*store.operations]
        if page:
            assert (await ask(proxy, "/homelab.json", "master")).status_code == 200
            assert store.operations[len(found) :] != []
    return found


async def test_with_no_viewer_the_store_is_asked_nothing_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: None
) -> None:
    """One of two workers, which serves requests, asks for exactly what it asks for without the page."""
    monkeypatch.setenv("NUM_WORKERS", "2")
    with tempfile.TemporaryDirectory(prefix="meet-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        without = await operations(tmp_path, monkeypatch, page=False)
        assert await operations(tmp_path, monkeypatch, page=True) == without
        assert without != []


PAGE_JS = Path(page.__file__).parent / "static" / "page.js"


async def test_a_viewer_costs_less_than_a_hundredth_of_a_core(
    proxy: MockProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processor time of a look with all that belongs to it, as often as the open page looks."""
    monkeypatch.setattr(board, "FRESH_SECONDS", 0.0)
    for number in range(60):
        await ask(proxy, "/homelab/x", f"sk-unknown-key-{number}")
    looks = 30
    await ask(proxy, "/homelab.json", "master")
    before = time.process_time()
    for _ in range(looks):
        assert (await ask(proxy, "/homelab.json", "master")).status_code == 200
    seconds = (time.process_time() - before) / looks
    every = int(re.findall(r"const FAST = (\d+);", PAGE_JS.read_text(encoding="utf-8"))[0]) / 1000
    assert seconds / every < 0.01
