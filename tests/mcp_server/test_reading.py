"""Reading one page: what is connected to, and when it ends."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from litellm_homelab.mcp_server.addresses import AddressRule, opening_of
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.reading import PageReader, ReadingLimits, WebPage, addresses_of
from tests.mcp_server import pages
from tests.mcp_server.pages import Pages

MOST = 300_000
LIMITS = ReadingLimits(bytes=MOST, seconds=30, connect=5)
BRIEF = ReadingLimits(bytes=MOST, seconds=0.5)


@pytest.fixture(scope="module")
def _site() -> Iterator[Pages]:
    with pages.serving() as found:
        yield found


@pytest.fixture
def site(_site: Pages) -> Pages:
    """The pages, nothing asked of them yet."""
    _site.asked.clear()
    return _site


class Names:
    """A name server: its answers for every name, one after the other, and the names it was asked for."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, name: str, port: int) -> Sequence[str]:
        """The next answer."""
        self.asked.append(name)
        return self.answers.pop(0)


async def read(
    site: Pages,
    path: str,
    limits: ReadingLimits = LIMITS,
    names: Names | None = None,
    host: str = "127.0.0.1",
) -> WebPage:
    """Read a page of the site, whose address and port are allowed."""
    rule = AddressRule([opening_of(f"127.0.0.1:{site.port}")])
    reader = PageReader(rule, limits, names or addresses_of)
    try:
        return await reader.read(f"http://{host}:{site.port}{path}")
    finally:
        await reader.close()


async def test_a_page(site: Pages) -> None:
    """Its bytes, its type and its address; asked for without a cookie, a key or a kept connection."""
    page = await read(site, "/page")
    assert (page.body.decode(), page.left_out) == (pages.ARTICLE, "")
    assert (page.type.is_html, page.type.charset) == (True, "utf-8")
    assert page.url == f"{site.url}/page"
    assert {"cookie", "authorization", "referer"} & site.headers.keys() == set()
    assert site.headers["connection"] == "close"
    assert site.headers["user-agent"].startswith("litellm-homelab/")


async def test_a_packed_page(site: Pages) -> None:
    """It is unpacked."""
    assert (await read(site, "/packed")).body.decode() == pages.ARTICLE


async def test_cookies_are_not_kept(site: Pages) -> None:
    """The next page does not learn what the last one set."""
    reader = PageReader(AddressRule([opening_of("127.0.0.1")]), LIMITS)
    for _ in range(2):
        await reader.read(f"{site.url}/cookie")
    await reader.close()
    assert "cookie" not in site.headers


async def test_proxies_of_the_environment_are_not_used(site: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect to an address that was not checked."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await read(site, "/page")).body


# --- addresses -------------------------------------------------------------------------------------


async def test_the_checked_address_is_the_one_connected_to(site: Pages) -> None:
    """A name is resolved once, and the page's server still sees the name."""
    names = Names(["127.0.0.1"])
    page = await read(site, "/page", names=names, host="site.test")
    assert names.asked == ["site.test"]
    assert site.asked == [("/page", f"site.test:{site.port}")]
    assert page.url == f"http://site.test:{site.port}/page"


async def test_a_name_is_judged_again_after_a_redirect(site: Pages) -> None:
    """DNS rebinding: the second answer is another address, which is refused and not connected to."""
    site.target = "/page"
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    with pytest.raises(ToolFault, match=r"site\.test may not be read by this tool \(a loopback address\)"):
        await read(site, "/to", names=names, host="site.test")
    assert [path for path, _ in site.asked] == ["/to"]


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["100.64.0.1"],
        ["fe80::1%lo"],
        ["93.184.216.34", "127.0.0.3"],
        ["127.0.0.1", "10.0.0.1"],
    ],
    ids=str,
)
async def test_a_name_that_leads_to_a_refused_address(site: Pages, answers: list[str]) -> None:
    """One refused address among several is enough; nothing is connected to."""
    with pytest.raises(ToolFault, match="may not be read by this tool"):
        await read(site, "/page", names=Names(answers), host="site.test")
    assert site.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/",
        "http://127.0.0.2/",
        "http://localhost:8080/",
        "//[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0x7f.1/",
        "https://user:word@example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
    ],
)
async def test_a_redirect_to_where_no_page_may_be_read(site: Pages, target: str) -> None:
    """After every redirect the address is judged like the first one."""
    site.target = target
    with pytest.raises(ToolFault):
        await read(site, "/to")
    assert len(site.asked) == 1


async def test_redirects_are_followed_and_bounded(site: Pages) -> None:
    """The address of the page is the last one; a circle ends."""
    site.target = "/page?from=redirect"
    assert (await read(site, "/to")).url == f"{site.url}/page?from=redirect"
    site.asked.clear()
    with pytest.raises(ToolFault, match="redirects more than 5 times"):
        await read(site, "/circle")
    assert len(site.asked) == 6


async def test_the_next_address_is_tried(site: Pages) -> None:
    """Where nothing accepts a connection at the first one, as with IPv6 without a route."""
    rule = AddressRule([opening_of("127.0.0.0/8")])
    reader = PageReader(rule, LIMITS, Names(["127.0.0.9", "127.0.0.1"]))
    assert (await reader.read(f"http://site.test:{site.port}/page")).body
    await reader.close()


async def test_names_without_an_address() -> None:
    """`.invalid` never has one (RFC 6761)."""
    reader = PageReader(AddressRule(), LIMITS)
    with pytest.raises(ToolFault, match="the name has no address"):
        await reader.read("http://lab.invalid/")
    await reader.close()


async def test_nothing_listens() -> None:
    """The fault says so, without an address of the machine."""
    reader = PageReader(AddressRule([opening_of("127.0.0.1:1")]), LIMITS)
    with pytest.raises(ToolFault, match="cannot be reached: nothing accepts the connection there"):
        await reader.read("http://127.0.0.1:1/")
    await reader.close()


# --- size and time ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/endless", "/huge", "/bomb"])
async def test_what_is_too_large_is_cut(site: Pages, path: str) -> None:
    """After so many bytes, unpacked; the page says that it is not whole."""
    page = await read(site, path)
    assert len(page.body) == MOST
    assert page.left_out == "the page is larger than 0.3 MB"


async def test_a_slow_page_is_cut_in_time(site: Pages) -> None:
    """What has come until then is kept."""
    page = await read(site, "/slow", BRIEF)
    assert page.body.startswith(b"<p>drop</p>")
    assert page.left_out == "the page was still being sent after 0.5 seconds"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/silent", "did not answer within 0.5 seconds"),
        ("/silent-body", "Nothing of the page came within 0.5 seconds"),
        ("/empty-blocks", "Nothing of the page came|larger than"),
    ],
)
async def test_a_page_that_says_nothing(site: Pages, path: str, why: str) -> None:
    """It ends in time too, also where packed bytes come and become nothing."""
    with pytest.raises(ToolFault, match=why):
        await read(site, path, BRIEF)


async def test_the_time_is_for_all_steps(site: Pages) -> None:
    """A name server that does not answer takes no longer."""

    async def never(_: str, __: int) -> Sequence[str]:
        await anyio.sleep_forever()
        return []

    reader = PageReader(AddressRule(), BRIEF, never)
    with pytest.raises(ToolFault, match=r"did not answer within 0\.5 seconds"):
        await reader.read("http://site.test/")
    await reader.close()


async def test_a_broken_page_keeps_what_came(site: Pages) -> None:
    """The connection ends before the announced length."""
    page = await read(site, "/broken")
    assert (page.body, page.left_out) == (b"the first words", "the connection broke")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/missing", r"^The page answered 404 Not Found\.$"),
        ("/odd", r"^The page answered 299\.$"),
        ("/pdf", "leads to a PDF"),
        ("/brotli", "compressed in a way that is not read here: br"),
    ],
)
async def test_what_is_not_a_page(site: Pages, path: str, why: str) -> None:
    """The fault says what it is instead."""
    with pytest.raises(ToolFault, match=why):
        await read(site, path)


# --- TLS -------------------------------------------------------------------------------------------


def _certificate(folder: Path, name: str) -> Path:
    """A certificate for one name, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_tls_is_with_the_name(tmp_path: Path) -> None:
    """The name is in SNI, and the certificate must be for it, though an address is connected to."""
    path = _certificate(tmp_path, "site.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    greeted: list[str | None] = []
    context.sni_callback = lambda _, name, __: greeted.append(name)
    trust = ssl.create_default_context(cafile=str(path))
    with pages.serving(context) as site:
        rule = AddressRule([opening_of("127.0.0.1")])
        reader = PageReader(rule, LIMITS, Names(*[["127.0.0.1"]] * 3), trust)
        assert (await reader.read(f"https://site.test:{site.port}/page")).body
        with pytest.raises(ToolFault, match="its certificate or its TLS is not valid"):
            await reader.read(f"https://other.test:{site.port}/page")
        assert (await reader.read(f"https://site.test.:{site.port}/page")).body
        await reader.close()
        assert greeted == ["site.test", "other.test", "site.test"]
        assert len(site.asked) == 2
