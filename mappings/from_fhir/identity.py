"""Whose resource is it? Nothing about another patient may reach the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Final, Literal

from mappings.facts import DataGap
from mappings.from_fhir.bundle import Item
from mappings.from_fhir.chart import FORMER_NAMES, Chart, local_key
from mappings.from_fhir.datatypes import Resource
from mappings.from_fhir.shapes import Patient

Whose = Literal["ours", "another", "no-patient"]

UNOWNED: Final = frozenset({"Medication", "Specimen"})
"""Only read through a resource that belongs to the patient."""

PARTICULAR: Final = UNOWNED | {"Patient"}
"""Types whose owner is not simply their subject."""

NO_PATIENTS: Final = frozenset({"Group", "Device", "Location"})
"""Other subjects an Observation or a request may have."""

_resource: Final = attrgetter("resource")
_subject: Final = attrgetter("subject")
_patient: Final = attrgetter("patient")
_focus: Final = attrgetter("focus")


def bare_id(patient_id: str) -> str:
    """`1` for `1`, `Patient/1`, `https://ehr.example/fhir/Patient/1` and `urn:uuid:1`."""
    return local_key(patient_id.strip())[1].removeprefix("urn:uuid:")


def own(chart: Chart, patient_id: str) -> tuple[dict[str, list[Item]], list[DataGap]]:
    """The items about this patient by type, and one gap for each type that held another patient's.

    A resource that names no subject is taken to be about the patient whose record was asked for.
    """
    accepted = {patient_id, f"urn:uuid:{patient_id}".lower()} | _full_urls(chart, patient_id)
    plainly = {f"Patient/{patient_id}"}
    verdicts: dict[str, Whose] = {}
    mine: dict[str, list[Item]] = {}
    others: Counter[str] = Counter()
    for type_, items in chart.items.items():
        mine[type_] = list(items.values())
        subjects = None if type_ in PARTICULAR else _subjects(list(map(_resource, items.values())))
        if subjects is not None and (
            subjects <= plainly or all(_verdict(subject, accepted) == "ours" for subject in subjects)
        ):
            continue
        whose = [_whose(item, accepted, verdicts) for item in items.values()]
        mine[type_] = [item for item, verdict in zip(items.values(), whose, strict=True) if verdict == "ours"]
        if another := whose.count("another"):
            others[FORMER_NAMES.get(type_, type_)] += another
    return mine, [
        DataGap(type_, "wrong-patient", f"{n} {type_} not about this patient, not used")
        for type_, n in others.items()
    ]


def _subjects(resources: Sequence[Resource]) -> set[str] | None:
    """Whom these are about, if they name nobody but their subject."""
    if any(map(_patient, resources)) or any(map(_focus, resources)):
        return None
    return {subject.reference for subject in map(_subject, resources) if subject} - {""}


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
