"""The checks of an installation, in the order in which they are told. A new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from cds_hooks.doctor.address_check import address_check
from cds_hooks.doctor.check import Check
from cds_hooks.doctor.clients_check import clients_check
from cds_hooks.doctor.clock_check import clock_check
from cds_hooks.doctor.database_check import database_check
from cds_hooks.doctor.explain_token import token_check
from cds_hooks.doctor.fhir_check import fhir_check
from cds_hooks.doctor.knowledge_check import knowledge_check
from cds_hooks.doctor.settings_check import settings_check
from cds_hooks.doctor.signing_check import signing_check
from cds_hooks.doctor.site_check import site_check
from cds_hooks.doctor.tls_check import tls_check

CHECKS: Mapping[str, Check] = {
    "settings": settings_check,
    "knowledge": knowledge_check,
    "site": site_check,
    "database": database_check,
    "clients": clients_check,
    "tokens": signing_check,
    "address": address_check,
    "tls": tls_check,
    "fhir": fhir_check,
    "clock": clock_check,
}
"""By the name under which their findings are printed."""
ON_A_TOKEN: Mapping[str, Check] = {"this token": token_check}
"""Only if a token is given."""
