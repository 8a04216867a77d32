"""One patient is asked about for all of whom a call without documented twitching makes nothing: nobody else is among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.replay.sides import Side
from mappings.knowledge import load_knowledge
from terminology.concepts import concepts

Json = dict[str, Any]
SUBJECT = {"reference": "Patient/p1"}
SITE = b'name: Test\norders: {codes: {emg_ncs: {system: urn:x, code: "17", display: EMG}}}'
OTHERS = 5
"""Patients of whom nothing is said, among whom a case stands."""

PERSON: Json = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1970-01-01"}
PROBLEM: Json = {
    "resourceType": "Condition",
    "id": "c",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Hypertension"},
    "subject": SUBJECT,
    "recordedDate": "2026-05-04",
}
PROCEDURE: Json = {
    "resourceType": "Procedure",
    "id": "x",
    "status": "completed",
    "code": {"text": "Appendectomy"},
    "subject": SUBJECT,
    "performedDateTime": "2026-05-04",
}
WORDS: Json = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "category": [{"coding": [{"code": "social-history"}]}],
    "code": {"text": "Tobacco smoking status"},
    "subject": SUBJECT,
    "effectiveDateTime": "2026-10-20",
    "valueCodeableConcept": {"text": "Never smoker"},
}
PRESSURE: Json = WORDS | {
    "id": "b",
    "category": [{"coding": [{"code": "vital-signs"}]}],
    "code": {"text": "Blood pressure"},
    "valueCodeableConcept": None,
    "component": [{"code": {"text": "Diastolic"}, "valueQuantity": {"value": 80, "unit": "mm[Hg]"}}],
}
ENCOUNTER: Json = {
    "resourceType": "Encounter",
    "id": "e",
    "status": "in-progress",
    "subject": SUBJECT,
    "period": {"start": "2026-10-31"},
}
POTASSIUM = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
ALIKE: dict[str, list[Json]] = {
    "nothing else": [],
    "a problem": [PROBLEM],
    "a problem that is over": [PROBLEM | {"abatementDateTime": "2026-06-01"}],
    "a problem after the day": [PROBLEM | {"recordedDate": "2027-06-01"}],
    "a problem without date": [PROBLEM | {"recordedDate": None}],
    "a known problem": [PROBLEM | {"code": {"text": "Hypothyroidism"}}],
    "a suspected disease": [PROBLEM | {"code": {"text": "?ALS"}}],
    "a procedure": [PROCEDURE],
    "a test that was carried out": [PROCEDURE | {"code": {"text": "Electromyography"}}],
    "words": [WORDS],
    "a word that is no finding": [WORDS | {"valueCodeableConcept": None, "valueString": "6.8"}],
    "a yes": [WORDS | {"valueCodeableConcept": {"text": "Yes"}}],
    "a cancelled answer": [WORDS | {"status": "cancelled"}],
    "a pressure": [PRESSURE],
    "an encounter that is over": [ENCOUNTER | {"status": "finished", "period": {"end": "2026-10-31"}}],
    "an encounter without dates": [ENCOUNTER | {"status": "finished", "period": None}],
    "an encounter that never was": [ENCOUNTER | {"status": "cancelled"}],
    "of a sex that is not known, dead": [PERSON | {"gender": "x", "deceasedBoolean": True}],
    "a child": [PERSON | {"birthDate": "2020-01-01"}],
}
APART: dict[str, list[Json]] = {
    "twitching": [PROBLEM | {"code": {"text": "Fasciculation"}}],
    "twitching that is over": [
        PROBLEM | {"code": {"text": "Fasciculation"}, "abatementDateTime": "2026-06-01"}
    ],
    "twitching that was refuted": [
        PROBLEM | {"code": {"text": "Fasciculation"}, "verificationStatus": {"coding": [{"code": "refuted"}]}}
    ],
    "what is taken for it": [PROBLEM | {"code": {"text": "Tremor"}}],
    "two problems": [PROBLEM, PROBLEM | {"id": "d", "code": {"text": "Myoclonus"}}],
    "two versions of a problem": [
        PROBLEM | {"meta": {"versionId": "1"}},
        PROBLEM | {"meta": {"versionId": "2"}, "code": {"text": "Fasciculation"}},
    ],
    "two versions, the later one of nothing": [
        PROBLEM | {"meta": {"versionId": "2"}},
        PROBLEM | {"meta": {"versionId": "1"}, "code": {"text": "Fasciculation"}},
    ],
    "a problem without name": [PROBLEM | {"code": {}}],
    "a problem without code": [PROBLEM | {"code": None}],
    "a problem out of shape": [PROBLEM | {"code": {"coding": [{"code": []}]}}],
    "a status out of shape": [PROBLEM | {"clinicalStatus": 5}],
    "a problem about somebody else": [PROBLEM | {"focus": [{"reference": "Patient/p9"}]}],
    "a problem of two patients": [PROBLEM | {"patient": {"reference": "Patient/p9"}}],
    "a problem named without a type": [PROBLEM | {"subject": {"reference": "p1"}}],
    "an encounter whose reason was not sent": [
        PROBLEM,
        ENCOUNTER | {"reasonReference": [{"reference": "Condition/z", "display": "Fasciculation"}]},
    ],
    "an encounter whose reason was sent": [
        PROBLEM,
        ENCOUNTER | {"reasonReference": [{"reference": "Condition/c", "display": "Fasciculation"}]},
    ],
    "an encounter under way": [ENCOUNTER],
    "an encounter that ended later": [
        ENCOUNTER | {"status": "finished", "period": {"start": "2026-10-31", "end": "2026-11-20"}}
    ],
    "an encounter out of shape": [ENCOUNTER | {"status": "finished", "period": 5}],
    "a procedure out of shape": [PROCEDURE | {"code": []}],
    "a procedure for it": [PROCEDURE | {"code": {"text": "Injection for hemifacial spasm"}}],
    "a procedure without code": [PROCEDURE | {"code": None}],
    "twitching in words": [WORDS | {"valueCodeableConcept": {"text": "Fasciculation"}}],
    "twitching in one word": [WORDS | {"valueCodeableConcept": None, "valueString": "Twitching"}],
    "twitching in an answer to a question": [
        WORDS | {"code": {"text": "Twitching"}, "valueCodeableConcept": {"text": "Yes"}}
    ],
    "an answer with a category out of shape": [WORDS | {"category": [[5]]}],
    "an answer with a performer out of shape": [WORDS | {"performer": [{"reference": {}}]}],
    "an answer with an interpretation out of shape": [
        WORDS
        | {
            "interpretation": [{"coding": [{"code": []}]}],
            "valueCodeableConcept": None,
            "valueString": " ",
        }
    ],
    "a part that is a result": [
        PRESSURE | {"component": [{"code": POTASSIUM, "valueQuantity": {"value": 4, "unit": "?"}}]}
    ],
    "a part that names it": [
        PRESSURE | {"component": [{"code": {"text": "Fasciculation"}, "valueBoolean": True}]}
    ],
    "a part that says it in words": [
        PRESSURE
        | {
            "category": WORDS["category"],
            "component": [{"code": {"text": "Note"}, "valueString": "muscle twitching"}],
        }
    ],
    "a part without code": [PRESSURE | {"component": [{"valueString": "muscle twitching"}]}],
    "a part out of shape": [PRESSURE | {"component": [{"code": []}]}],
    "a drug that is drafted": [
        {
            "resourceType": "MedicationRequest",
            "id": "m",
            "status": "draft",
            "intent": "order",
            "subject": SUBJECT,
            "medicationCodeableConcept": {"text": "furosemide 40 mg tablet"},
        }
    ],
    "answers": [
        {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "subject": SUBJECT}
    ],
    "a second Patient": [PERSON, PERSON | {"gender": "female"}],
    "a Patient out of shape": [PERSON | {"gender": {}}],
    "a Patient with a date out of shape": [PERSON | {"birthDate": 5}],
}
"""Those about whom somebody else's answer may not be given, whatever it is."""


def of(name: str, *resources: Json) -> Iterator[Json]:
    """The resources of the patient `p1` as those of `name`; a Patient among them stands for the usual one."""
    persons = [resource for resource in resources if resource["resourceType"] == "Patient"]
    for number, resource in enumerate([*([] if persons else [PERSON]), *resources]):
        person = resource["resourceType"] == "Patient"
        id_ = name if person else f"{name}-{resource.get('id', number)}"
        mine = {key: value for key, value in resource.items() if value is not None} | {"id": id_}
        for reason in mine.get("reasonReference", ()):
            mine["reasonReference"] = [reason | {"reference": f"Condition/{name}-{reason['reference'][-1]}"}]
        if mine.get("subject") == SUBJECT:
            mine["subject"] = {"reference": f"Patient/{name}"}
        yield mine


@pytest.fixture
def asked(
    both: Callable[..., tuple[int, int, int]], export: Callable[..., Path], result: Callable[..., Json]
) -> Callable[..., int]:
    """How often a record is sent of these cases and of patients who are all alike; a result waits in each."""

    def ask(*cases: list[Json], **options: Any) -> int:
        resources = [resource for n in range(OTHERS) for resource in of(f"a{n}", PROBLEM)]
        for number, case in enumerate(cases):
            resources += of(f"b{number}", *case)
        names = [*(f"a{n}" for n in range(OTHERS)), *(f"b{n}" for n in range(len(cases)))]
        resources += [result(f"{name}-k", 2.9, "2026-10-20", name) for name in names]
        return both(export(*resources), **({"partitions": 1} | options))[1]

    return ask


@pytest.mark.parametrize("case", ALIKE, ids=str)
def test_who_is_like_the_others_is_not_asked_about(asked: Callable[..., int], case: str) -> None:
    assert asked(ALIKE[case]) == 1
    asked(ALIKE[case], sides=(Side("", SITE, "site.yaml"), Side()))
    asked(ALIKE[case], mode="monthly")


@pytest.mark.parametrize("case", APART, ids=str)
def test_who_is_not_like_the_others_is_asked_about(asked: Callable[..., int], case: str) -> None:
    assert asked(APART[case]) > 1
    asked(APART[case], sides=(Side("", SITE, "site.yaml"), Side()))
    asked(APART[case], mode="monthly")


def test_a_patient_without_a_resource_is_asked_about(
    both: Callable[..., tuple[int, int, int]], export: Callable[..., Path], result: Callable[..., Json]
) -> None:
    resources = [*of("a", PROBLEM), *of("b", PROBLEM)]
    resources = [resource for resource in resources if resource["id"] != "b"]
    results = [result(f"{name}-k", 2.9, "2026-10-20", name) for name in "ab"]
    assert both(export(*resources, *results), partitions=1)[1] == 2


@pytest.mark.parametrize(
    ("resource", "element"),
    [(PROBLEM, "code"), (PROCEDURE, "code"), (WORDS, "valueCodeableConcept")],
    ids=["problem", "procedure", "words"],
)
def test_nobody_who_has_a_concept_gets_the_answer_of_another(
    asked: Callable[..., int], resource: Json, element: str
) -> None:
    """Of each concept that the reader knows by a phrase a patient who has it."""
    cases = [
        [resource | {element: {"text": phrase}}]
        for known in concepts().values()
        for phrase in (*known.phrases, *known.exact)[:1]
    ]
    assert len(cases) > 0.9 * len(concepts())
    gate = load_knowledge().gate
    heard = len(gate.opens) + len(gate.mimics)
    assert heard / 2 < asked(*cases) < len(cases)
