"""Whose resource is it? Nothing about another patient may reach the facts."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

from mappings.facts import DataGap
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import FORMER_NAMES, Chart, local_key
from mappings.from_fhir.shapes import Patient

Whose = Literal["ours", "another", "no-patient"]

UNOWNED: Final = frozenset({"Medication", "Specimen"})
"""Only read through a resource that belongs to the patient."""

PARTICULAR: Final = UNOWNED | {"Patient"}
"""Types whose owner is not simply their subject."""

NO_PATIENTS: Final = frozenset({"Group", "Device", "Location"})
"""Other subjects an Observation or a request may have."""


def bare_id(patient_id: str) -> str:
    """`1` for `1`, `Patient/1`, `https://ehr.example/fhir/Patient/1` and `urn:uuid:1`."""
    return local_key(patient_id.strip())[1].removeprefix("urn:uuid:")


def own(chart: Chart, patient_id: str) -> tuple[dict[str, list[Item]], list[DataGap]]:
    """The items about this patient by type, and one gap for each type that held another patient's.

    A resource that names no subject is taken to be about the patient whose record was asked for.
    """
    accepted = {patient_id, f"urn:uuid:{patient_id}".lower()} | _full_urls(chart, patient_id)
    verdicts: dict[str, Whose] = {}
    mine: dict[str, list[Item]] = {}
    others: Counter[str] = Counter()
    for type_, items in chart.items.items():
        ours = mine[type_] = []
        plain = type_ not in PARTICULAR
        for item in items.values():
            resource = item.resource
            subject = resource.subject
            whose: Whose | None = None
            if plain and subject and not (resource.patient or resource.focus):
                whose = verdicts.get(subject.reference)
            whose = whose or _whose(item, accepted, verdicts)
            if whose == "ours":
                ours.append(item)
            elif whose == "another":
                others[FORMER_NAMES.get(type_, type_)] += 1
    return mine, [
        DataGap(type_, "wrong-patient", f"{n} {type_} not about this patient, not used")
        for type_, n in others.items()
    ]


def _full_urls(chart: Chart, patient_id: str) -> set[str]:
    """The full URLs of the Patient entries that are this patient's."""
    patients = list(chart.items["Patient"].values()) if "Patient" in chart.items else []
    mine = [item for item in patients if item.resource.id == patient_id or _names(item.full_url, patient_id)]
    nameless = [item for item in patients if not item.resource.id and not local_key(item.full_url)[0]]
    if not mine and len(patients) == len(nameless) == 1:
        return {nameless[0].full_url or NO_URL}
    return {item.full_url for item in mine if item.full_url}


NO_URL: Final = "\0"
"""Stands for the full URL of a Patient that came without id and without one."""


def _names(full_url: str, patient_id: str) -> bool:
    return full_url.lower() == f"urn:uuid:{patient_id}".lower() or local_key(full_url) == (
        "Patient",
        patient_id,
    )


def _whose(item: Item, accepted: set[str], verdicts: dict[str, Whose]) -> Whose:
    resource = item.resource
    if item.type in UNOWNED:
        return "ours"
    if isinstance(resource, Patient):
        return (
            "ours"
            if resource.id in accepted or (not resource.id and (item.full_url or NO_URL) in accepted)
            else "another"
        )
    for named in resource.subject, resource.patient:
        if named and (reference := named.reference):
            if reference not in verdicts:
                verdicts[reference] = _verdict(reference, accepted)
            if verdicts[reference] != "ours":
                return verdicts[reference]
    for named in resource.focus:
        if (verdict := _verdict(named.reference, accepted)) != "ours":
            return verdict
    return "ours"


def _verdict(reference: str, accepted: set[str]) -> Whose:
    type_, id_ = local_key(reference)
    if reference in accepted or (reference.startswith("urn:") and reference.lower() in accepted):
        return "ours"
    if type_ == "Patient":
        return "ours" if id_ in accepted else "another"
    return "no-patient" if type_ in NO_PATIENTS else "another"
