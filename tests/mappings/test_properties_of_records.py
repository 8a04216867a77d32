"""Properties of a whole record: order, noise, duplicates and loss never change what is said, and none makes it fail."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from mappings.assess.assess import assess
from mappings.assess.limits import limit_in
from mappings.assessment import Assessment
from mappings.facts import (
    Answer,
    DataGap,
    Finding,
    GapReason,
    LabResult,
    Limits,
    Measure,
    Medication,
    Order,
    Patient,
    PatientFacts,
    Problem,
)
from mappings.knowledge import load_knowledge
from terminology.concepts import concepts
from terminology.quantity import analytes

KNOWLEDGE = load_knowledge()
TODAY = date(2026, 3, 1)
CONCEPTS = sorted(concepts())
LABS = sorted(KNOWLEDGE.analytes)


def judged(facts: PatientFacts) -> Assessment:
    return assess(facts, KNOWLEDGE, TODAY)


def ranking(answer: Assessment) -> Any:
    """What is ranked, in its order, and what is flagged."""
    return (
        answer.silent_reason,
        answer.indicator,
        [(c.id, c.tier) for c in answer.contributors],
        [flag.id for flag in answer.red_flags],
        [(item.id, item.tier) for item in answer.safety],
    )


@cache
def values(analyte: str, unit: str) -> st.SearchStrategy[Decimal]:
    """Values this analyte can have in this unit, those of its limits often."""
    low, high = analytes()[analyte].units[unit]
    rule = KNOWLEDGE.analytes[analyte]
    bands = (*rule.bands.low, *rule.bands.high)
    stated = [limit for band in bands for limit in (band.below, band.at_most, band.above, band.at_least)]
    edges = sorted({limit for one in stated if (limit := limit_in(analyte, one, unit)) is not None})
    anywhere = st.decimals(low, high, places=2)
    return st.sampled_from(edges) | anywhere if edges else anywhere


days = st.integers(0, 800).map(lambda age: TODAY - timedelta(days=age))
some_day = days | st.none()
numbers = st.integers(0, 30)


@st.composite
def results(draw: st.DrawFn) -> LabResult:
    analyte = draw(st.sampled_from(LABS))
    unit = draw(st.sampled_from(sorted(analytes()[analyte].units)))
    value = draw(values(analyte, unit))
    return LabResult(
        analyte,
        value,
        unit,
        draw(days),
        moment=draw(st.sampled_from(["", "2026-02-01T08:00", "2026-02-01T09:00"])),
        comparator=draw(st.sampled_from(["", "", "", "<", ">", "<=", ">="])),
        interpretation=draw(st.sampled_from(["", "", "L", "H", "N", "LL", "HH"])),
        preliminary=draw(st.booleans()),
        specimen=draw(st.sampled_from(["", "s1", "s2"])),
        specimen_problem=draw(st.sampled_from(["", "", "haemolysed"])),
        label=analyte,
        resource=f"Observation/{draw(numbers)}",
    )


medications = st.builds(
    Medication,
    text=st.sampled_from(["water tablet 25 mg", "vitamin 10 mg", "syrup", "inhaler"]),
    classes=st.lists(st.sampled_from(sorted(KNOWLEDGE.drug_classes)), max_size=2, unique=True).map(tuple),
    route=st.sampled_from(["", "oral", "inhaled", "nebulised"]),
    status=st.sampled_from(["active", "ended", "draft", "unknown"]),
    start=some_day,
    end=some_day,
    by=st.sampled_from(["", "rxnorm", "text"]),
    resource=numbers.map("MedicationRequest/{}".format),
)
problems = st.builds(
    Problem,
    concepts=st.lists(st.sampled_from(CONCEPTS), max_size=3, unique=True).map(tuple),
    text=st.sampled_from(["something", "twitching of the left calf", "", "no weakness"]),
    active=st.booleans(),
    onset=some_day,
    recorded=some_day,
    site=st.sampled_from(["", "eyelid", "calf", "generalised"]),
    kind=st.sampled_from(["Condition", "Procedure", "Encounter", "Observation"]),
    resource=numbers.map("Condition/{}".format),
)
findings = st.builds(
    Finding,
    concept=st.sampled_from(CONCEPTS),
    present=st.booleans(),
    objective=st.booleans(),
    text=st.sampled_from(["found", "weak left hand"]),
    date=some_day,
    resource=numbers.map("Observation/f{}".format),
)
measures = st.builds(
    Measure,
    item=st.sampled_from(["caffeine_intake", "diet", "exercise", "alcohol", "sleep_duration", "stress"]),
    text=st.sampled_from(["heavy", "vegan", "none", "two cups"]),
    value=st.none() | st.integers(0, 900).map(Decimal),
    unit=st.sampled_from(["", "mg/d", "h", "mg/(24.h)"]),
    date=some_day,
    resource=numbers.map("Observation/m{}".format),
)
answers = st.sampled_from(sorted(KNOWLEDGE.questions)).flatmap(
    lambda name: st.builds(
        Answer,
        question=st.just(name),
        value=st.sampled_from(
            [option.value for option in KNOWLEDGE.questions[name].options] or ["true", "false", "2026-02-20"]
        ),
        text=st.sampled_from(["an answer", "another answer"]),
        date=some_day,
        reported=st.booleans(),
        resource=st.just("QuestionnaireResponse/1"),
    )
)
orders = st.builds(
    Order,
    tests=st.lists(
        st.sampled_from([*KNOWLEDGE.orders, *KNOWLEDGE.panels]), min_size=1, max_size=2, unique=True
    ).map(tuple),
    status=st.sampled_from(["pending", "draft", "done"]),
    text=st.just("an order"),
    date=some_day,
    resource=numbers.map("ServiceRequest/{}".format),
)
gaps = st.builds(
    DataGap,
    what=st.sampled_from([*LABS, "Condition", "Observation", "medication"]),
    reason=st.sampled_from(get_args(GapReason)),
    text=st.sampled_from(["", "it could not be read"]),
    resource=st.sampled_from(["", "Observation/9"]),
    on=some_day,
)
patients = st.builds(
    Patient,
    id=st.just("p"),
    birth_date=st.none() | st.just((date(1960, 1, 1), date(1960, 12, 31))) | st.just((date(1990, 5, 5),) * 2),
    sex=st.sampled_from(["", "female", "male"]),
    pregnant=st.booleans(),
)


def several(kind: st.SearchStrategy[Any], most: int = 6) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(kind, max_size=most).map(tuple)


@st.composite
def records(draw: st.DrawFn) -> PatientFacts:
    """A record of an adult whose twitching is documented."""
    twitching = Problem(("fasciculation",), "Fasciculation", onset=draw(some_day), resource="Condition/t")
    return PatientFacts(
        draw(patients),
        draw(several(results(), 10)),
        draw(several(medications)),
        (twitching, *draw(several(problems))),
        draw(several(findings)),
        draw(several(measures, 3)),
        draw(several(answers, 3)),
        draw(several(orders, 3)),
        draw(several(gaps, 3)),
        draw(
            st.sampled_from([frozenset({"Condition", "Observation", "MedicationRequest"}), frozenset[str]()])
        ),
    )


@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_entries_never_matters(facts: PatientFacts, random: Any) -> None:
    def shuffled(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(entries, len(entries)))

    other = replace(facts, **{name: shuffled(getattr(facts, name)) for name in MANY})
    assert judged(other) == judged(facts)


MANY = ("labs", "medications", "problems", "findings", "measures", "answers", "orders", "gaps")


noise = st.sampled_from(
    [
        {"problems": (Problem(("something_else",), "Ingrowing toenail", resource="Condition/x"),)},
        {"problems": (Problem((), "Ingrowing toenail", active=False, resource="Condition/x"),)},
        {"medications": (Medication("Simple linctus", by="rxnorm", resource="MedicationRequest/x"),)},
        {"findings": (Finding("something_else", present=False, objective=True, text="no rash"),)},
        {"measures": (Measure("shoe_size", "41"),)},
        {"labs": (LabResult("unheard_of", Decimal(1), "mmol/L", TODAY, resource="Observation/x"),)},
    ]
)


@given(records(), noise)
def test_an_unrelated_fact_changes_nothing(facts: PatientFacts, more: dict[str, Any]) -> None:
    other = replace(facts, **{name: (*getattr(facts, name), *added) for name, added in more.items()})
    assert ranking(judged(other)) == ranking(judged(facts))


@given(records(), st.data())
def test_a_duplicate_changes_nothing(facts: PatientFacts, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in MANY if getattr(facts, name)]))
    entries = getattr(facts, name)
    other = replace(facts, **{name: (*entries, data.draw(st.sampled_from(entries)))})
    assert ranking(judged(other)) == ranking(judged(facts))


@given(records(), st.data())
def test_an_older_result_changes_nothing(facts: PatientFacts, data: st.DataObject) -> None:
    # An undecided newest result (`<4.0`) may rightly give way to an older one.
    plain = [result for result in facts.labs if not result.comparator]
    assume(plain)
    newest = data.draw(st.sampled_from(plain))
    kin = [result for result in facts.labs if result.analyte == newest.analyte]
    assume(all(not result.comparator for result in kin))
    older = replace(
        newest,
        value=data.draw(values(newest.analyte, newest.unit)),
        date=min(result.date for result in kin) - timedelta(days=data.draw(st.integers(1, 400))),
        resource="Observation/older",
    )
    assert ranking(judged(replace(facts, labs=(*facts.labs, older)))) == ranking(judged(facts))


@given(records(), st.data())
def test_a_lost_or_garbled_result_never_silences_a_critical_answer(
    facts: PatientFacts, data: st.DataObject
) -> None:
    critical = LabResult("potassium", Decimal("2.1"), "mmol/L", TODAY, resource="Observation/critical")
    facts = replace(facts, labs=(*facts.labs, critical))
    answer = judged(facts)
    assume(answer.silent_reason is None and answer.indicator == "critical")
    result = data.draw(st.sampled_from(facts.labs))
    rest = tuple(other for other in facts.labs if other is not result)
    reason = data.draw(st.sampled_from(["no-unit", "not-numeric", "implausible-value", "no-value"]))
    gap = DataGap(result.analyte, reason, "it could not be read", result.resource, result.date)
    garbled = judged(replace(facts, labs=rest, gaps=(*facts.gaps, gap)))
    assert garbled.silent_reason is None
    if result is not critical:
        assert judged(replace(facts, labs=rest)).silent_reason is None


any_number = st.decimals(-(10**6), 10**6, places=3)
any_concepts = several(st.sampled_from(CONCEPTS) | st.text(max_size=5), 3).map(
    lambda found: ("fasciculation", *found)
)
any_result = st.builds(
    LabResult,
    analyte=st.sampled_from(LABS) | st.text(max_size=5),
    value=any_number,
    unit=st.sampled_from(["mmol/L", "mg/dL", "g/L"]) | st.text(max_size=5),
    range=st.none() | st.builds(Limits, low=st.none() | any_number, high=st.none() | any_number),
)
any_record = st.builds(
    PatientFacts,
    patient=st.builds(Patient),
    labs=several(any_result),
    medications=several(medications | st.builds(Medication)),
    problems=several(st.builds(Problem, concepts=any_concepts)),
    findings=several(st.builds(Finding)),
    measures=several(st.builds(Measure, value=st.none() | any_number)),
    answers=several(answers | st.builds(Answer)),
    orders=several(st.builds(Order)),
    gaps=several(st.builds(DataGap)),
)


@given(any_record, st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_no_record_makes_it_fail(facts: PatientFacts, today: date) -> None:
    assert assess(facts, KNOWLEDGE, today).assessed_at == today
