"""Records as clients really send them, ill-formed or misleading: each gets the right cards, or a gap in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

Json = dict[str, Any]
Chart = Any
LOW = "Low potassium"
EPIC: Json = {
    "com.epic.cdshooks.request.bpa-trigger-action": "60",
    "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
    "com.epic.cdshooks.request.fhir-version": "R4",
    "com.epic.cdshooks.request.criteria-id": "1",
    "internal": {"deep": [None, {"x": []}]},
}


def outcome(severity: str = "error", code: str = "forbidden") -> Json:
    issue = {
        "severity": severity,
        "code": code,
        "details": {"coding": [{"code": "4101"}]},
        "diagnostics": "-",
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def labs(c: Chart, *results: Json, **parts: Any) -> Json:
    return c.call(prefetch=c.prefetch(labs=c.bundle(*results, **parts)))


def medicines(c: Chart, *orders: Json) -> Json:
    low = c.bundle(c.potassium(2.8))
    return c.call(prefetch=c.prefetch(labs=low, medications=c.bundle(*orders)))


class Case(NamedTuple):
    """A call made of a chart, and what its cards must and must not say."""

    call: Callable[[Chart], Json]
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    # keys
    "a key is null": Case(
        lambda c: c.call(prefetch=c.prefetch(labs=None)),
        ("laboratory results", "Not provided by the record system"),
    ),
    "a key is missing": Case(
        lambda c: c.call(prefetch=c.prefetch(labs=...)),
        ("laboratory results", "Not provided by the record system"),
    ),
    "an OperationOutcome as value": Case(
        lambda c: c.call(prefetch=c.prefetch(labs=outcome())), ("laboratory results: what the EHR sent",)
    ),
    "an OperationOutcome as the only entry, an error": Case(
        lambda c: c.call(prefetch=c.prefetch(labs=c.bundle(outcome(), total=0))), ("laboratory results",)
    ),
    "an OperationOutcome beside an empty result, a warning that nothing was found": Case(
        lambda c: c.call(prefetch=c.prefetch(labs=c.bundle(outcome("warning", "not-found"), total=0))),
        ("not measured in this record",),
        ("laboratory results: ",),
    ),
    "an OperationOutcome beside results": Case(
        lambda c: labs(c, c.potassium(2.8), outcome("warning", "informational")), (LOW,)
    ),
    "one page of several": Case(
        lambda c: labs(
            c, c.potassium(2.8), link=[{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
        ),
        (LOW, "laboratory results: only a part"),
    ),
    "a total, and no entries": Case(lambda c: labs(c, total=41), ("laboratory results: only a part",)),
    "a Bundle without type and entry": Case(
        lambda c: c.call(prefetch=c.prefetch(labs={"resourceType": "Bundle"})),
        ("not measured in this record",),
    ),
    "a Bundle without type": Case(lambda c: labs(c, c.potassium(2.8), type=None), (LOW,)),
    "a bare resource where a Bundle was asked for": Case(
        lambda c: c.call(prefetch=c.prefetch(labs=c.potassium(2.8))), (LOW,)
    ),
    "wrapped as response and resource": Case(
        lambda c: c.call(
            prefetch=c.prefetch(labs={"response": {"status": "200"}, "resource": c.bundle(c.potassium(2.8))})
        ),
        (LOW,),
    ),
    # whose and which
    "another patient's result": Case(
        lambda c: labs(c, c.potassium(1.9, subject={"reference": "Patient/someone-else"})),
        ("not about this patient, not used",),
        ("1.9", LOW),
    ),
    "another patient's medicine": Case(
        lambda c: medicines(c, c.medicine(subject={"reference": "Patient/someone-else"})),
        (LOW, "not about this patient, not used"),
        ("hydrochlorothiazide",),
    ),
    "another patient's twitching": Case(
        lambda c: c.call(
            prefetch=c.prefetch(
                conditions=c.bundle(
                    c.twitching(), c.condition("Dysphagia", subject={"reference": "Patient/x"})
                )
            )
        ),
        (),
        ("ysphagia",),
    ),
    "codes that were not asked for, because the server ignored the filter": Case(
        lambda c: labs(c, c.lab("8867-4", 72.35, "/min"), c.potassium(2.8), c.lab("8310-5", 37.45, "Cel")),
        (LOW,),
        ("72.35", "37.45"),
    ),
    "unsorted": Case(
        lambda c: labs(
            c,
            c.potassium(4.2, effectiveDateTime="2025-01-01"),
            c.potassium(2.8),
            c.potassium(5.9, effectiveDateTime="2024-01-01"),
        ),
        ("potassium 2.8 mmol/L",),
        ("5.9",),
    ),
    "twice the same": Case(
        lambda c: labs(c, c.potassium(2.8, id="k"), c.potassium(2.8, id="k")), ("potassium 2.8 mmol/L",)
    ),
    "twice the same, in two versions": Case(
        lambda c: labs(
            c,
            c.potassium(2.8, id="k", meta={"versionId": "2"}),
            c.potassium(1.8, id="k", meta={"versionId": "1"}),
        ),
        ("potassium 2.8 mmol/L",),
        ("1.8",),
    ),
    # status
    "entered in error": Case(
        lambda c: labs(c, c.potassium(1.9, status="entered-in-error")), (), ("1.9", LOW)
    ),
    "cancelled": Case(lambda c: labs(c, c.potassium(1.9, status="cancelled")), (), ("1.9", LOW)),
    "preliminary": Case(lambda c: labs(c, c.potassium(2.8, status="preliminary")), (LOW, "preliminary")),
    "no status": Case(lambda c: labs(c, c.potassium(2.8, status=...)), ("potassium",)),
    # around it
    "the extension block of Epic": Case(lambda c: labs(c, c.potassium(2.8)) | {"extension": EPIC}, (LOW,)),
    "an unknown extension, and unknown fields": Case(
        lambda c: labs(c, c.potassium(2.8)) | {"extension": {"x": None}, "user": "Practitioner/1", "x": {}},
        (LOW,),
    ),
    "an extension that is null": Case(lambda c: labs(c, c.potassium(2.8)) | {"extension": None}, (LOW,)),
    "a PractitionerRole as user": Case(
        lambda c: (
            labs(c, c.potassium(2.8)) | {"context": {"userId": "PractitionerRole/r", "patientId": c.id}}
        ),
        (LOW,),
    ),
    "the patient as user": Case(
        lambda c: labs(c, c.potassium(2.8)) | {"context": {"userId": f"Patient/{c.id}", "patientId": c.id}},
        (LOW,),
    ),
    "no user": Case(lambda c: labs(c, c.potassium(2.8)) | {"context": {"patientId": c.id}}, (LOW,)),
    "no encounter": Case(lambda c: labs(c, c.potassium(2.8)), (LOW,)),
    "an encounter that is null": Case(
        lambda c: labs(c, c.potassium(2.8)) | {"context": {"patientId": c.id, "encounterId": None}}, (LOW,)
    ),
    "the type before the patient's id": Case(
        lambda c: labs(c, c.potassium(2.8)) | {"context": {"patientId": f"Patient/{c.id}"}}, (LOW,)
    ),
    "a hookInstance that is no UUID": Case(
        lambda c: labs(c, c.potassium(2.8)) | {"hookInstance": "instance-1"}, (LOW,)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_right_cards(right_cards: Callable[..., None], chart: Chart, name: str) -> None:
    case = CASES[name]
    right_cards(case.call(chart), case.says, case.never)
