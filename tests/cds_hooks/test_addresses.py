"""No connection leaves the allow-list, however its URL is written."""

from __future__ import annotations

import aiohttp.client
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.addresses import Address, AddressError, allowed, parse

SERVER = "https://ehr.example/fhir/R4"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://ehr.example/fhir", Address("https", "ehr.example", 443, ("fhir",))),
        ("HTTPS://EHR.Example:443/fhir/", Address("https", "ehr.example", 443, ("fhir",))),
        ("http://ehr.example", Address("http", "ehr.example", 80, ())),
        ("http://ehr.example:8080/", Address("http", "ehr.example", 8080, ())),
        ("https://10.1.2.3/a//b", Address("https", "10.1.2.3", 443, ("a", "", "b"))),
        ("https://[2001:DB8:0::1]:8443/a", Address("https", "2001:db8::1", 8443, ("a",))),
        (
            "https://xn--bcher-kva.example/%C3%BC?a=%2F&b=..",
            Address("https", "xn--bcher-kva.example", 443, ("ü",)),
        ),
        (
            "https://ehr_1.hospital-a.example/a;v=1/b",
            Address("https", "ehr_1.hospital-a.example", 443, ("a;v=1", "b")),
        ),
    ],
)
def test_an_address_is_taken_apart(url: str, address: Address) -> None:
    seen = aiohttp.client.URL(url)
    assert parse(url) == address
    assert (seen.scheme, seen.raw_host, seen.port) == address[:3]


REFUSED = {
    "nothing": "",
    "no scheme": "ehr.example/fhir",
    "no scheme, but slashes": "//ehr.example/fhir",
    "a path": "/fhir/R4/Patient",
    "another scheme": "ftp://ehr.example/fhir/R4",
    "a file": "file:///etc/passwd",
    "a file of a host": "file://ehr.example/etc/passwd",
    "gopher": "gopher://ehr.example:70/_",
    "a script": "javascript:alert(1)//ehr.example",
    "data": "data:application/json,{}",
    "no host": "https:///fhir/R4",
    "one slash": "https:/ehr.example/fhir/R4",
    "no slash": "https:ehr.example/fhir/R4",
    "a port without host": "https://:443/fhir/R4",
    "credentials": "https://user:secret@ehr.example/fhir/R4",
    "a user": "https://ehr.example@evil.example/fhir/R4",
    "an empty user": "https://@ehr.example/fhir/R4",
    "a user that looks like the server": "https://ehr.example:443@evil.example/fhir/R4",
    "a fragment": "https://ehr.example/fhir/R4#x",
    "an empty fragment": "https://ehr.example/fhir/R4#",
    "a fragment before a user": "https://evil.example#@ehr.example/fhir/R4",
    "a backslash before a user": "https://evil.example\\@ehr.example/fhir/R4",
    "backslashes": "https:\\\\ehr.example\\fhir\\R4",
    "a backslash in the path": "https://ehr.example/fhir/R4\\..\\admin",
    "an encoded backslash": "https://ehr.example/fhir/R4/..%5cadmin",
    "a blank before": " https://ehr.example/fhir/R4",
    "a blank inside": "https://ehr.example/fhir/R4/Patient 1",
    "a tab inside": "https://ehr.exam\tple/fhir/R4",
    "a line break inside": "https://ehr.example/fhir/R4\r\nHost: evil.example",
    "a line break at the end": "https://ehr.example/fhir/R4\n",
    "an encoded line break": "https://ehr.example/fhir/R4/%0d%0aX:1",
    "a null": "https://ehr.example\x00.evil.example/fhir/R4",
    "an encoded null": "https://ehr.example/fhir/R4/%00",
    "a delete": "https://ehr.example/fhir/R4\x7f",
    "full-width letters": "https://\uff45\uff48\uff52.example/fhir/R4",
    "a letter that folds to ascii": "https://e\u210er.example/fhir/R4",
    "an ideographic full stop": "https://ehr。example/fhir/R4",
    "a soft hyphen": "https://ehr\u00ad.example/fhir/R4",
    "a right-to-left mark": "https://ehr.example/\u202efhir",
    "an encoded host": "https://ehr%2eexample/fhir/R4",
    "an encoded slash in the host": "https://ehr.example%2f.evil.example/fhir/R4",
    "a dot at the end": "https://ehr.example./fhir/R4",
    "two dots": "https://ehr..example/fhir/R4",
    "a dot at the beginning": "https://.ehr.example/fhir/R4",
    "a hyphen at the beginning": "https://-ehr.example/fhir/R4",
    "a comma": "https://ehr.example,evil.example/fhir/R4",
    "a host without end": f"https://{'a.' * 130}example/fhir/R4",
    "port 0": "https://ehr.example:0/fhir/R4",
    "port 65536": "https://ehr.example:65536/fhir/R4",
    "a negative port": "https://ehr.example:-1/fhir/R4",
    "a port with a sign": "https://ehr.example:+443/fhir/R4",
    "an empty port": "https://ehr.example:/fhir/R4",
    "a port that is a name": "https://ehr.example:https/fhir/R4",
    "two ports": "https://ehr.example:443:8443/fhir/R4",
    "an address as one number": "http://2130706433/fhir/R4",
    "an address in hexadecimal": "http://0x7f000001/fhir/R4",
    "an address in hexadecimal parts": "http://0x7f.0x0.0x0.0x1/fhir/R4",
    "an address in octal": "http://0177.0.0.1/fhir/R4",
    "an address as one octal number": "http://017700000001/fhir/R4",
    "an address in three parts": "http://127.0.1/fhir/R4",
    "an address in two parts": "http://127.1/fhir/R4",
    "an address of one part": "http://0/fhir/R4",
    "an address out of range": "http://127.0.0.256/fhir/R4",
    "an address with a leading zero": "http://127.0.0.01/fhir/R4",
    "an address with a dot at the end": "http://127.0.0.1./fhir/R4",
    "a name that ends like an address": "http://ehr.example.0x7f/fhir/R4",
    "a zone": "http://[fe80::1%25eth0]/fhir/R4",
    "a bracket without end": "http://[::1/fhir/R4",
    "no address in brackets": "http://[ehr.example]/fhir/R4",
    "an address of the future": "http://[v1.a]/fhir/R4",
    "an IPv6 address without brackets": "http://::1/fhir/R4",
    "climbing": "https://ehr.example/fhir/R4/../../admin",
    "climbing at the end": "https://ehr.example/fhir/R4/..",
    "standing still": "https://ehr.example/fhir/./R4",
    "climbing, encoded": "https://ehr.example/fhir/R4/%2e%2e/admin",
    "climbing, half encoded": "https://ehr.example/fhir/R4/.%2E/admin",
    "climbing, encoded twice": "https://ehr.example/fhir/R4/%252e%252e/admin",
    "climbing with an encoded slash": "https://ehr.example/fhir/R4/..%2fadmin",
    "climbing with a parameter": "https://ehr.example/fhir/R4/..;x=1/admin",
    "an encoded slash": "https://ehr.example/fhir%2fR4",
    "overlong UTF-8": "https://ehr.example/fhir/R4/%c0%ae%c0%ae/admin",
    "without end": f"https://ehr.example/{'a' * 8_192}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_address_that_could_be_read_in_two_ways_is_refused(name: str) -> None:
    url = REFUSED[name]
    with pytest.raises(AddressError) as caught:
        parse(url)
    assert not url or url not in str(caught.value)
    assert "evil" not in str(caught.value)
    assert not allowed(url, [SERVER, "http://127.0.0.1/fhir", "http://[::1]/fhir"])


@pytest.mark.parametrize(
    "url",
    [
        SERVER,
        f"{SERVER}/",
        f"{SERVER}/Patient/p-1",
        f"{SERVER}?_getpages=x&_offset=20",
        f"{SERVER}/Observation?patient=p-1&category=http%3A%2F%2Fx%7Claboratory",
        "HTTPS://EHR.EXAMPLE:443/fhir/R4/Patient",
        "https://second.example/Patient",
    ],
)
def test_what_is_below_a_server_is_allowed(url: str) -> None:
    assert allowed(url, [SERVER, "https://second.example"])


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example.evil.example/fhir/R4",
        "https://ehr.example-evil.example/fhir/R4",
        "https://evil-ehr.example/fhir/R4",
        "https://evil.ehr.example/fhir/R4",
        "https://example/fhir/R4",
        "https://ehr.exampl/fhir/R4",
        "https://evil.example/https://ehr.example/fhir/R4",
        "https://evil.example/?https://ehr.example/fhir/R4",
        "https://evil.example/?x=ehr.example/fhir/R4",
        "http://ehr.example/fhir/R4",
        "http://ehr.example:443/fhir/R4",
        "https://ehr.example:8443/fhir/R4",
        "https://ehr.example:44/fhir/R4",
        "https://ehr.example/fhir/R4-evil",
        "https://ehr.example/fhir/R4evil/Patient",
        "https://ehr.example/fhir/R5/Patient",
        "https://ehr.example/fhir",
        "https://ehr.example/",
        "https://ehr.example",
        "https://ehr.example/FHIR/R4",
        "https://ehr.example//fhir/R4",
        "https://ehr.example/fhir//R4",
        "https://ehr.example/fhir;x/R4",
        "https://ehr.example/x/fhir/R4",
        "https://ehr.example?/fhir/R4",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/latest/meta-data/",
    ],
)
def test_what_only_looks_like_a_server_is_not_allowed(url: str) -> None:
    assert not allowed(url, [SERVER])


def test_nothing_is_below_no_server() -> None:
    assert not allowed(SERVER, [])


def test_a_server_that_is_no_address_is_a_mistake() -> None:
    with pytest.raises(AddressError):
        allowed(SERVER, ["ehr.example"])


@given(
    st.text(max_size=60),
    st.sampled_from(["", "https://", "https://ehr.example", "https://ehr.example/fhir/R4/"]),
)
def test_whatever_is_allowed_is_read_alike_by_the_http_client(text: str, begin: str) -> None:
    url = begin + text
    if allowed(url, [SERVER]):
        seen = aiohttp.client.URL(url)
        assert (seen.scheme, seen.raw_host, seen.port) == ("https", "ehr.example", 443)
        assert seen.path == "/fhir/R4" or seen.path.startswith("/fhir/R4/")
