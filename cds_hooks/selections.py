"""Which drafted medicines the user has just chosen (the hook order-select), however the client writes it."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.facts import Medication
from mappings.from_fhir.chart import FORMER_NAMES, local_key


def without_unchosen(medications: Sequence[Medication], selections: Sequence[str]) -> tuple[Medication, ...]:
    """The medicines without the drafted ones that were not just chosen: those were spoken of when they were.

    The specification wants `Type/id`; a bare id, a full URL and a version are understood. If a selection that may be a
    medicine is none of the drafted ones, it is not known which was chosen, and all of them stay.
    """
    chosen = {_id(selection) for selection in selections if _may_be_medicine(selection)}
    drafted = {_id(medicine.resource) for medicine in medications if medicine.status == "draft"}
    if not chosen <= drafted:
        return tuple(medications)
    return tuple(m for m in medications if m.status != "draft" or _id(m.resource) in chosen)


def _id(reference: str) -> str:
    return local_key(reference.strip())[1].lower()


def _may_be_medicine(selection: str) -> bool:
    """A bare id may be anything; a type is one that drafted medicines have, or another kind of order."""
    type_ = local_key(selection.strip())[0]
    return FORMER_NAMES.get(type_, type_) in ("", "MedicationRequest")
