"""The inbound resources that name a medicine, of R4, R5, STU3 and DSTU2."""

from __future__ import annotations

from typing import Final

from msgspec import Raw, field

from mappings.from_fhir.datatypes import (
    CodeableConcept,
    CodeableReference,
    Element,
    Period,
    Reference,
    Resource,
)
from mappings.from_fhir.details import EVERYTHING, Detail


class Ingredient(Element):
    """`Medication.ingredient` of R4 and R5."""

    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None
    item: CodeableReference | None = None


class Medication(Resource, tag_field="resourceType", tag="Medication"):
    """https://hl7.org/fhir/R4/medication.html"""

    code_json: Raw = field(default=Raw(), name="code")
    ingredient: tuple[Ingredient, ...] = ()


class TimingRepeat(Element):
    """`Timing.repeat`."""

    bounds_period: Period | None = None


class Timing(Element):
    """https://hl7.org/fhir/R4/datatypes.html#Timing"""

    repeat: TimingRepeat | None = None


class Dosage(Element):
    """https://hl7.org/fhir/R4/dosage.html"""

    text: str = ""
    route: CodeableConcept | None = None
    timing: Timing | None = None


class DispenseRequest(Element):
    """`MedicationRequest.dispenseRequest`."""

    validity_period: Period | None = None


MEDICINE: Final = Detail[CodeableConcept | None](CodeableConcept, None)
"""`medicationCodeableConcept`, `Medication.code`."""
DOSAGES: Final = Detail[tuple[Dosage, ...]](tuple[Dosage, ...], (), not_needed=("timing",))


class MedicationUse(Resource):
    """What the resources that name a medicine have in common; `medication` is R5's."""

    medication_codeable_concept_json: Raw = field(default=Raw(), name="medicationCodeableConcept")
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None


class MedicationRequest(MedicationUse, tag_field="resourceType", tag="MedicationRequest"):
    """https://hl7.org/fhir/R4/medicationrequest.html; `date_written` is DSTU2's."""

    intent: str = ""
    do_not_perform: bool = False
    reported: bool = False
    reported_boolean: bool = False
    reported_reference: Reference | None = None
    status_changed: str = ""
    authored_on: str = ""
    date_written: str = ""
    dosages_json: Raw = field(default=Raw(), name="dosageInstruction")
    dispense_request_json: Raw = field(default=Raw(), name="dispenseRequest")
    dispense_request = Detail[DispenseRequest | None](DispenseRequest, None, not_needed=EVERYTHING)


class MedicationOrder(MedicationRequest, tag_field="resourceType", tag="MedicationOrder"):
    """The MedicationRequest of DSTU2."""


class Adherence(Element):
    """`MedicationStatement.adherence` of R5."""

    code: CodeableConcept | None = None


class MedicationStatement(MedicationUse, tag_field="resourceType", tag="MedicationStatement"):
    """https://hl7.org/fhir/R4/medicationstatement.html; `taken` is STU3's, `was_not_taken` DSTU2's."""

    taken: str = ""
    was_not_taken: bool = False
    adherence: Adherence | None = None
    effective_date_time: str = ""
    effective_period: Period | None = None
    dosages_json: Raw = field(default=Raw(), name="dosage")


class MedicationAdministration(MedicationUse, tag_field="resourceType", tag="MedicationAdministration"):
    """https://hl7.org/fhir/R4/medicationadministration.html

    `was_not_given` is DSTU2's, `not_given` STU3's, `occurence…` R5's own spelling.
    """

    was_not_given: bool = False
    not_given: bool = False
    effective_date_time: str = ""
    effective_period: Period | None = None
    occurence_date_time: str = ""
    occurence_period: Period | None = None
    dosages_json: Raw = field(default=Raw(), name="dosage")
