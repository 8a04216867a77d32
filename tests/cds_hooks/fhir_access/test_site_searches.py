"""What a site profile makes of our own reads: periods with two bounds, no sorting, the parameters a server knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ORACLE_HEALTH = Path(__file__).parents[3] / "deploy" / "sites" / "oracle-health.yaml"
PATH = "/cds-services/twitching-patient-view/explain"


def test_results_are_asked_for_with_a_closed_period_and_read(
    start: Callable[..., Any], ehr: str, seen: list[tuple[str, str]], answers: Any, tmp_path: Path
) -> None:
    today = date.today()  # noqa: DTZ011 - the local date, as the service has it
    twitching = {
        "resourceType": "Condition",
        "id": "t",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}]},
        "subject": {"reference": "Patient/p"},
    }
    potassium = {
        "resourceType": "Observation",
        "id": "k",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": today.isoformat(),
        "valueQuantity": {"value": 2.8, "unit": "mmol/L"},
    }

    def bundle(resource: dict[str, Any]) -> str:
        return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]})

    first, last = today - timedelta(days=400), today + timedelta(days=1)
    results = f"Observation?patient=p&category=laboratory&date=ge{first}&date=le{last}&_count=100"
    answers["/fhir/Condition?patient=p&_count=100"] = (200, {}, bundle(twitching))
    answers[f"/fhir/{results}"] = (200, {}, bundle(potassium))
    call = {
        "hook": "patient-view",
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "fhirServer": ehr,
        "fhirAuthorization": {"access_token": "t", "token_type": "Bearer"},
        "context": {"userId": "Practitioner/1", "patientId": "p"},
    }
    fhir = {"servers": [ehr], "allow_private_addresses": True, "budget_ms": 10_000}
    (tmp_path / "site.yaml").write_text(json.dumps({"fhir": fhir}), encoding="utf-8")  # JSON is YAML
    with start("--config", "site.yaml", site=str(ORACLE_HEALTH)) as service:
        told = service.http.post(PATH, json=call).json()
    asked = {path.removeprefix("/fhir/") for path, _ in seen}
    assert {results, "MedicationRequest?patient=p&_count=100", "Patient/p"} <= asked
    assert not any("_sort" in path for path in asked)
    assert {item["id"] for item in told["contributors"]} == {"hypokalaemia"}
