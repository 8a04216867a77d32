"""The whole service, with a FHIR server it may read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

PATH = "/cds-services/twitching-patient-view"


def test_034_060_what_was_not_prefetched_is_read_and_what_was_refused_is_named(
    start: Callable[..., Any], ehr: str, answers: Any
) -> None:
    twitching = {
        "resourceType": "Condition",
        "id": "t",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}]},
        "subject": {"reference": "Patient/p"},
    }
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": twitching}]}
    answers["/fhir/Condition?patient=p"] = (200, {}, json.dumps(bundle))
    answers["/fhir/MedicationRequest?patient=p"] = (403, {}, "")
    call = {
        "hook": "patient-view",
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "fhirServer": ehr,
        "fhirAuthorization": {"access_token": "canary-token", "token_type": "Bearer"},
        "context": {"userId": "Practitioner/1", "patientId": "p"},
    }
    with start(fhir_servers=ehr, allow_private_addresses="true") as service:
        answered = service.http.post(PATH, json=call)
    assert answered.status_code == 200, answered.text
    (card,) = answered.json()["cards"]
    assert "prescribed medicines: the token does not allow it (403)" in card["detail"]
    assert "canary-token" not in answered.text + service.written


def test_a_server_that_was_not_allowed_is_never_asked(
    start: Callable[..., Any], ehr: str, seen: list[Any]
) -> None:
    call = {
        "hook": "patient-view",
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "fhirServer": ehr,
        "context": {"userId": "Practitioner/1", "patientId": "p"},
    }
    with start(fhir_servers="https://ehr.example.org/fhir", allow_private_addresses="true") as service:
        assert service.http.post(PATH, json=call).status_code == 412
    assert seen == []
