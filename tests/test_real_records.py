"""Real records, each sent to the real service as an EHR would, with documented twitching added and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"
PATH = "/cds-services/twitching-patient-view"
Json = dict[str, Any]


def records() -> list[Path]:
    return sorted(DATA.glob("[0-9]*.json"))


def resources(document: Any) -> list[Json]:
    """The resources of a Bundle, of a hook request's prefetch, or the resource itself."""
    if isinstance(document, list):
        return [found for item in document for found in resources(item)]
    if not isinstance(document, dict):
        return []
    if "hook" in document:
        return [found for value in document.get("prefetch", {}).values() for found in resources(value)]
    if document.get("resourceType") == "Bundle":
        return [entry["resource"] for entry in document.get("entry", []) if "resource" in entry]
    return [document]


def subject_of(found: list[Json]) -> str:
    """The patient that most of a record is about: the Patient's id, else what its resources refer to."""
    for resource in found:
        if resource["resourceType"] == "Patient" and "id" in resource:
            return str(resource["id"])
    references = [r.get("subject", {}).get("reference", "") for r in found]
    return next(
        (reference.rpartition("/")[2].removeprefix("urn:uuid:") for reference in references if reference), "p"
    )


def request(path: Path, *, twitching: bool) -> Json:
    document = json.loads(path.read_text(encoding="utf-8"))
    patient = subject_of(resources(document))
    condition = {
        "resourceType": "Condition",
        "id": "added-twitching",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R25.3"}]},
        "onsetDateTime": "2010-01-01",
        "subject": {"reference": f"Patient/{patient}"},
    }
    record = (
        document.get("prefetch", {"record": document}) if isinstance(document, dict) else {"record": document}
    )
    added = [{"resource": condition}] if twitching else []
    return {
        "hook": "patient-view",
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "context": {"userId": "Practitioner/1", "patientId": patient},
        "prefetch": record | {"conditions": {"resourceType": "Bundle", "entry": added}},
    }


@pytest.mark.parametrize("path", records(), ids=lambda path: path.stem)
def test_a_real_record_with_twitching_is_answered_with_cards(path: Path, http: httpx2.Client) -> None:
    call = request(path, twitching=True)
    answered, explained = http.post(PATH, json=call), http.post(f"{PATH}/explain", json=call)
    assert answered.status_code == explained.status_code == 200, answered.text
    cards, assessment = answered.json()["cards"], explained.json()
    if assessment["silentReason"] == "deceased":
        assert cards == []
        return
    assert 1 <= len(cards) <= 3
    assert all(gap["reason"] for gap in assessment["gaps"])
    named = " ".join(card.get("detail", "") for card in cards)
    if any(gap["reason"] == "wrong-patient" for gap in assessment["gaps"]):
        assert "not about this patient" in named


@pytest.mark.parametrize("path", records(), ids=lambda path: path.stem)
def test_a_real_record_without_twitching_is_silent(path: Path, http: httpx2.Client) -> None:
    answered = http.post(PATH, json=request(path, twitching=False))
    assert answered.status_code == 200, answered.text
    assert answered.json() == {"cards": []}
