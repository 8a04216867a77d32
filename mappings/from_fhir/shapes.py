"""The inbound FHIR resources, reduced to the elements that are read.

One set of structs for R4, R4B and R5, and for STU3 and DSTU2 where they differ little: an element that
changed its name has a field for each name. Everything is optional. Element names are FHIR's in snake case,
e.g. `effective_date_time`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, get_args

from msgspec import Raw, field

from mappings.from_fhir.datatypes import (
    Annotation,
    CodeableConcept,
    CodeableReference,
    Coding,
    Element,
    Period,
    Quantity,
    Reference,
    Resource,
    Value,
)
from mappings.from_fhir.details import EVERYTHING, Detail
from mappings.from_fhir.medication_shapes import (
    Medication,
    MedicationAdministration,
    MedicationOrder,
    MedicationRequest,
    MedicationStatement,
)


class Patient(Resource, tag_field="resourceType", tag="Patient"):
    """https://hl7.org/fhir/R4/patient.html"""

    birth_date: str = ""
    gender: str = ""
    deceased_boolean: bool = False
    deceased_date_time: str = ""


class RangeAge(Element):
    """`referenceRange.age`, a Range."""

    low: Quantity | None = None
    high: Quantity | None = None


class ReferenceRange(Element):
    """https://hl7.org/fhir/R4/observation-definitions.html#Observation.referenceRange"""

    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    applies_to: tuple[CodeableConcept, ...] = ()
    age: RangeAge | None = None
    text: str = ""


CODE: Final = Detail[CodeableConcept | None](CodeableConcept, None)


class Result(Resource):
    """What an Observation and its components have in common; a component is no resource but reads like one."""

    code_json: Raw = field(default=Raw(), name="code")
    code = CODE
    value_quantity: Quantity | None = None
    value_string: str = ""
    value_codeable_concept: CodeableConcept | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation_json: Raw = field(default=Raw(), name="interpretation")
    interpretation = Detail[tuple[CodeableConcept, ...]](tuple[CodeableConcept, ...], ())
    reference_range_json: Raw = field(default=Raw(), name="referenceRange")
    reference_range = Detail[tuple[ReferenceRange, ...]](
        tuple[ReferenceRange, ...], (), not_needed=EVERYTHING
    )


class Observation(Result, tag_field="resourceType", tag="Observation"):
    """https://hl7.org/fhir/R4/observation.html; `comment` is STU3's `note`."""

    category_json: Raw = field(default=Raw(), name="category")
    category = Detail[tuple[CodeableConcept, ...]](tuple[CodeableConcept, ...], ())
    effective_date_time: str = ""
    effective_instant: str = ""
    effective_period: Period | None = None
    issued: str = ""
    performer_json: Raw = field(default=Raw(), name="performer")
    performer = Detail[tuple[Reference, ...]](tuple[Reference, ...], (), repeated=False)
    body_site: CodeableConcept | None = None
    note: tuple[Annotation, ...] = ()
    comment: str = ""
    specimen_json: Raw = field(default=Raw(), name="specimen")
    specimen = Detail[Reference | None](Reference, None, not_needed=EVERYTHING, repeated=False)
    has_member: tuple[Reference, ...] = ()
    component: tuple[Result, ...] = ()


class Identifier(Element):
    """https://hl7.org/fhir/R4/datatypes.html#Identifier"""

    system: str = ""
    value: str = ""


class Specimen(Resource, tag_field="resourceType", tag="Specimen"):
    """https://hl7.org/fhir/R4/specimen.html"""

    accession_identifier: Identifier | None = None
    condition: tuple[CodeableConcept, ...] = ()
    note: tuple[Annotation, ...] = ()


class DiagnosticReport(Resource, tag_field="resourceType", tag="DiagnosticReport"):
    """https://hl7.org/fhir/R4/diagnosticreport.html"""

    code: CodeableConcept | None = None
    effective_date_time: str = ""
    effective_period: Period | None = None
    issued: str = ""
    result: tuple[Reference, ...] = ()
    conclusion: str = ""


class Extension(Value, frozen=True):
    """https://hl7.org/fhir/R4/extensibility.html, of those whose value is a Coding."""

    url: str = ""
    value_coding: Coding | None = None


class DiagnosisCoding(Coding, frozen=True):
    """A Coding with what is said of it: German ones carry there how certain the diagnosis is."""

    extension: tuple[Extension, ...] = ()


class Diagnosis(CodeableConcept, frozen=True):
    """`Condition.code`."""

    coding: tuple[DiagnosisCoding, ...] = ()


class Condition(Resource, tag_field="resourceType", tag="Condition"):
    """https://hl7.org/fhir/R4/condition.html"""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    code: Diagnosis | None = None
    body_site: tuple[CodeableConcept, ...] = ()
    onset_date_time: str = ""
    onset_period: Period | None = None
    onset_string: str = ""
    abatement_date_time: str = ""
    abatement_period: Period | None = None
    abatement_string: str = ""
    abatement_boolean: bool = False
    abatement_age: Quantity | None = None
    recorded_date: str = ""
    asserted_date: str = ""
    date_recorded: str = ""


class Procedure(Resource, tag_field="resourceType", tag="Procedure"):
    """https://hl7.org/fhir/R4/procedure.html; `not_performed` is DSTU2's, `not_done` STU3's, `occurrence…` R5's."""

    not_performed: bool = False
    not_done: bool = False
    code: CodeableConcept | None = None
    body_site: tuple[CodeableConcept, ...] = ()
    performed_date_time: str = ""
    performed_period: Period | None = None
    performed_string: str = ""
    occurrence_date_time: str = ""
    occurrence_period: Period | None = None


class EncounterReason(Element):
    """`Encounter.reason`: a CodeableConcept in STU3, uses and values in R5."""

    coding: tuple[Coding, ...] = ()
    text: str = ""
    value: tuple[CodeableReference, ...] = ()


class Encounter(Resource, tag_field="resourceType", tag="Encounter"):
    """https://hl7.org/fhir/R4/encounter.html"""

    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    reason: tuple[EncounterReason, ...] = ()
    period: Period | None = None
    actual_period: Period | None = None


class ServiceRequest(Resource, tag_field="resourceType", tag="ServiceRequest"):
    """https://hl7.org/fhir/R4/servicerequest.html"""

    intent: str = ""
    do_not_perform: bool = False
    code: CodeableReference | None = None
    authored_on: str = ""
    occurrence_date_time: str = ""


class ProcedureRequest(ServiceRequest, tag_field="resourceType", tag="ProcedureRequest"):
    """The ServiceRequest of STU3."""


class AnswerValue(Element):
    """`QuestionnaireResponse.item.answer`, with its nested items."""

    value_coding: Coding | None = None
    value_boolean: bool | None = None
    value_date: str = ""
    value_date_time: str = ""
    value_string: str = ""
    value_integer: int | None = None
    value_decimal: Decimal | None = None
    value_quantity: Quantity | None = None
    item: tuple[AnswerItem, ...] = ()


class AnswerItem(Element):
    """`QuestionnaireResponse.item`."""

    link_id: str = ""
    answer: tuple[AnswerValue, ...] = ()
    item: tuple[AnswerItem, ...] = ()


class QuestionnaireResponse(Resource, tag_field="resourceType", tag="QuestionnaireResponse"):
    """https://hl7.org/fhir/R4/questionnaireresponse.html"""

    questionnaire: str = ""
    authored: str = ""
    author: Reference | None = None
    source: Reference | None = None
    item: tuple[AnswerItem, ...] = ()


AnyResource = (
    Observation
    | MedicationRequest
    | MedicationOrder
    | MedicationStatement
    | MedicationAdministration
    | Medication
    | Condition
    | Procedure
    | Encounter
    | Patient
    | Specimen
    | DiagnosticReport
    | ServiceRequest
    | ProcedureRequest
    | QuestionnaireResponse
)

BY_TYPE: Final[dict[str, type[Resource]]] = {
    str(shape.__struct_config__.tag): shape for shape in get_args(AnyResource)
}
"""Shape by `resourceType`."""


TYPE: Final[dict[type[Resource], str]] = {shape: type_ for type_, shape in BY_TYPE.items()}
"""`resourceType` by shape."""
