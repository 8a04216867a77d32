"""The services, each declared once: discovery, routing, prefetch and the required data all follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mappings.facts import DataGap


@dataclass(frozen=True, slots=True)
class Prefetch:
    """One prefetch template, of the subset that every client can honour (CDS Hooks 2.0, Prefetch Query Restrictions).

    No `_include`, no `_sort` and no reliance on filters: a client may ignore them, the reader checks everything.
    """

    template: str
    says: str
    """What is missing without it, as a noun phrase for an error message."""
    required: bool = False
    """True: without it and without another source of the same data, the call is refused (412)."""
    query: str = ""
    """How we ask the FHIR server ourselves, if not by the template; may also hold `{{today() - N days}}`."""
    resource_type: str = field(init=False)
    """The FHIR type the template asks for."""

    def __post_init__(self) -> None:
        """Derive the type."""
        object.__setattr__(self, "resource_type", self.template.partition("?")[0].partition("/")[0])


@dataclass(frozen=True, slots=True)
class Service:
    """What discovery publishes about one service, and what a call of it may use."""

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, Prefetch]
    resources: Mapping[str, str] = field(default_factory=dict)
    """Context fields of the hook that carry FHIR resources which are not in the record yet, and what they are called on
    a card; required."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names under which a site sends a prefetch key -> our key."""
    required: tuple[tuple[str, Prefetch], ...] = field(init=False)
    """The prefetch keys without which there is no answer."""
    expects: Mapping[str, tuple[str]] = field(init=False)
    """By prefetch key: the FHIR type that it asks for."""
    unsent: Mapping[str, DataGap] = field(init=False)
    """By prefetch key: what is missing without it."""

    def __post_init__(self) -> None:
        """Collect what is said of each key."""
        required = tuple((key, prefetch) for key, prefetch in self.prefetch.items() if prefetch.required)
        object.__setattr__(self, "required", required)
        expects = {key: (prefetch.resource_type,) for key, prefetch in self.prefetch.items()}
        object.__setattr__(self, "expects", MappingProxyType(expects))
        unsent = {
            key: DataGap(prefetch.resource_type, "not-provided", prefetch.says, key)
            for key, prefetch in self.prefetch.items()
        }
        object.__setattr__(self, "unsent", MappingProxyType(unsent))


PATIENT_RECORD: Mapping[str, Prefetch] = MappingProxyType(
    {
        "patient": Prefetch("Patient/{{context.patientId}}", "age and sex"),
        "encounter": Prefetch("Encounter/{{context.encounterId}}", "the reason for the encounter"),
        "conditions": Prefetch("Condition?patient={{context.patientId}}", "the problem list", required=True),
        "labs": Prefetch(
            "Observation?patient={{context.patientId}}&category=laboratory", "laboratory results"
        ),
        "examination": Prefetch(
            "Observation?patient={{context.patientId}}&category=exam", "examination findings"
        ),
        "history": Prefetch(
            "Observation?patient={{context.patientId}}&category=social-history,survey",
            "lifestyle and reported symptoms",
        ),
        "medications": Prefetch("MedicationRequest?patient={{context.patientId}}", "prescribed medicines"),
        "statements": Prefetch("MedicationStatement?patient={{context.patientId}}", "other medicines taken"),
        "orders": Prefetch("ServiceRequest?patient={{context.patientId}}", "tests already ordered"),
        "procedures": Prefetch("Procedure?patient={{context.patientId}}", "operations and procedures"),
        "answers": Prefetch(
            "QuestionnaireResponse?patient={{context.patientId}}", "answers to the history questions"
        ),
    }
)
"""What every service here reads of a record."""

TWITCHING = (
    "For an adult with documented muscle twitching (fasciculation): lists the likely contributors found in results, "
    "medicines, diagnoses and history, each with its evidence, raises red flags, and suggests the missing tests. "
)
REQUIREMENTS = (
    "Twitching must be documented as an active Condition, a reason for the encounter or a clinical finding; without it "
    "the answer has no cards. Rules cover adults (18 and over). Every prefetch key improves the answer; `conditions` is "
    "required. For health professionals, not for emergencies."
)

ORDERS = (
    "Called when medicines or tests are ordered: says which result a drafted diuretic, corticosteroid, oestrogen, "
    "stimulant, proton-pump inhibitor and others would move, and which test to add. Speaks for a patient with "
    "documented twitching, or when the medicine would push a result further that is abnormal already. Drafted tests "
    "are not suggested again."
)

SERVICES: tuple[Service, ...] = (
    Service(
        id="twitching-patient-view",
        hook="patient-view",
        title="Muscle twitching: contributors and tests",
        description=TWITCHING + "Called when a chart is opened; silent unless twitching is documented.",
        usage_requirements=REQUIREMENTS,
        prefetch=PATIENT_RECORD,
    ),
    Service(
        id="twitching-encounter-start",
        hook="encounter-start",
        title="Muscle twitching: contributors and tests, at the start of an encounter",
        description=TWITCHING + "Called when an encounter starts; silent unless twitching is documented.",
        usage_requirements=REQUIREMENTS,
        prefetch=PATIENT_RECORD,
    ),
    Service(
        id="twitching-problem-list-item-create",
        hook="problem-list-item-create",
        title="Muscle twitching: contributors and tests, when it is recorded",
        description=TWITCHING
        + "Called when a problem is recorded: the drafted Condition counts as documented.",
        usage_requirements=REQUIREMENTS,
        prefetch=PATIENT_RECORD,
        resources={"conditions": "the problems being recorded"},
    ),
    Service(
        id="twitching-order-select",
        hook="order-select",
        title="Muscle twitching: what a medicine would change, when it is chosen",
        description=TWITCHING + ORDERS,
        usage_requirements=REQUIREMENTS,
        prefetch=PATIENT_RECORD,
        resources={"draftOrders": "the drafted orders"},
    ),
    Service(
        id="twitching-order-sign",
        hook="order-sign",
        title="Muscle twitching: what a medicine would change, before it is signed",
        description=TWITCHING + ORDERS,
        usage_requirements=REQUIREMENTS,
        prefetch=PATIENT_RECORD,
        resources={"draftOrders": "the drafted orders"},
    ),
)

SERVICE_BY_ID: Mapping[str, Service] = MappingProxyType({service.id: service for service in SERVICES})
SERVICE_BY_HOOK: Mapping[str, Service] = MappingProxyType({service.hook: service for service in SERVICES})
