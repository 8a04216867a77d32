"""Which medicines count now, by class: active ones, and stopped ones inside the washout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from mappings.facts import Medication
from mappings.knowledge import Knowledge

Exposures = dict[str, tuple[Medication, ...]]


def exposures(medications: Iterable[Medication], knowledge: Knowledge, today: date) -> Exposures:
    """Class id -> the medicines that expose the patient to it today, earliest start first; local use by its own id.

    Drafts never count; a stopped medicine counts while its class's washout lasts (drug_classes.yaml). If the day it was
    stopped is not known, it cannot have been before it was started.
    """
    found: dict[str, list[Medication]] = defaultdict(list)
    for medication in medications:
        for name in (*medication.classes, *medication.local):
            if counts(medication, _washout(knowledge, name), today):
                found[name].append(medication)
    return {name: tuple(sorted(meds, key=_order)) for name, meds in found.items()}


def counts(medication: Medication, washout: int, today: date) -> bool:
    """Whether this medicine is, or still acts as if, taken today."""
    if medication.status == "draft" or (medication.start and medication.start > today):
        return False
    if medication.status == "ended":
        stopped = medication.end or medication.start
        return stopped is not None and today - stopped <= timedelta(days=washout)
    return True


def _washout(knowledge: Knowledge, name: str) -> int:
    rule = knowledge.drug_classes.get(name)
    return rule.washout_days if rule else 0


def _order(medication: Medication) -> tuple[date, str, str]:
    return medication.start or date.min, medication.text, medication.resource
