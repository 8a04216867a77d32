"""The allow-list and the claims, to the second."""

from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.trust.clients import Clients, wrong_claim
from cds_hooks.trust.refusal import Unauthorised
from cds_hooks.trust.settings import Client
from cds_hooks.trust.token import Claims, Header, Token

ENDPOINT = "https://cds.example/cds-services"
NOW = 1_800_000_000
CLIENT = Client(issuer="https://ehr.example", jku="https://ehr.example/keys")


def claims(**parts: Any) -> Claims:
    whole = {"iss": "https://ehr.example", "aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "a"}
    return Claims(**(whole | parts))


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        ({}, None),
        ({"iat": NOW - 360, "exp": NOW - 60}, None),
        ({"iat": NOW - 361, "exp": NOW - 61}, "expired"),
        ({"iat": NOW - 361, "exp": NOW - 60.5}, "expired"),
        ({"iat": NOW + 60, "exp": NOW + 300}, None),
        ({"iat": NOW + 61, "exp": NOW + 300}, "not-yet-valid"),
        ({"nbf": NOW + 60}, None),
        ({"nbf": NOW + 61}, "not-yet-valid"),
        ({"nbf": NOW - 100_000}, None),
        ({"nbf": 0}, None),
        ({"exp": NOW + 3_600}, None),
        ({"exp": NOW + 3_601}, "lifetime"),
        ({"exp": NOW + 3_600.5}, "lifetime"),
        ({"iat": NOW - 3_640, "exp": NOW - 40}, None),
        ({"exp": NOW}, "lifetime"),
        ({"iat": NOW + 10, "exp": NOW + 5}, "lifetime"),
        ({"aud": [ENDPOINT]}, None),
        ({"aud": ["x", ENDPOINT, "y"]}, None),
        ({"aud": []}, "audience"),
        ({"aud": ENDPOINT + "/"}, "audience"),
        ({"aud": "urn:by-hand"}, "audience"),
    ],
)
def test_claims(parts: Any, wrong: str | None) -> None:
    assert wrong_claim(claims(**parts), CLIENT, ENDPOINT, NOW) == wrong


@pytest.mark.parametrize("aud", ["urn:by-hand", ["urn:second"], ENDPOINT])
def test_a_client_may_have_audiences_of_its_own(aud: Any) -> None:
    client = CLIENT.model_copy(update={"audience": ("urn:by-hand", "urn:second")})
    assert wrong_claim(claims(aud=aud), client, ENDPOINT, NOW) is None


class TestFind:
    north = CLIENT.model_copy(update={"tenant": "north", "jku": "https://ehr.example/north"})
    south = CLIENT.model_copy(update={"tenant": "south", "jku": "https://ehr.example/south"})

    def find(self, *clients: Client, jku: str | None = None, **parts: Any) -> Client | str:
        token = Token(b"", Header("ES384", "a", "JWT", jku), claims(**parts))
        try:
            return Clients(clients).find(token)
        except Unauthorised as refused:
            return refused.reason

    def test_tenants_of_one_issuer(self) -> None:
        both = self.north, self.south
        assert self.find(*both, tenant="north") is self.north
        assert self.find(*both, tenant="south") is self.south
        assert self.find(*both, tenant="west") == "tenant"
        assert self.find(*both) == "tenant"

    def test_a_client_without_tenant_stands_for_the_others(self) -> None:
        assert self.find(self.north, CLIENT, tenant="north") is self.north
        assert self.find(self.north, CLIENT, tenant="west") is CLIENT
        assert self.find(self.north, CLIENT) is CLIENT

    def test_a_tenant_has_its_own_key_set(self) -> None:
        assert self.find(self.north, self.south, tenant="north", jku=self.north.jku) is self.north
        assert self.find(self.north, self.south, tenant="north", jku=self.south.jku) == "key-set-url"

    def test_nobody_is_registered(self) -> None:
        assert self.find() == "issuer"
