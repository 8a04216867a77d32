from __future__ import annotations

from typing import NamedTuple

import pytest

from terminology.coding import HPO, ICD_10_CM, LOINC, SNOMED_CT
from terminology.concepts import ConceptMatch, concepts, concepts_of
from terminology.valuesets import load


class Coding(NamedTuple):
    system: str | None
    code: str | None
    display: str | None = None


# A problem list as people write it: the text, then the concepts it means ("-": none).
PHRASES = """
Fasciculation -> fasciculation
Fasciculations of both calves -> fasciculation
MUSCLE TWITCHING -> fasciculation
Muscle twitches -> fasciculation
Twitchy muscles -> fasciculation
fasciculations—calves -> fasciculation
Twitching NOS -> fasciculation
Myokymia -> myokymia fasciculation
Eyelid twitch for 4 months -> eyelid_myokymia fasciculation
Twitching of the left eyelid -> eyelid_myokymia fasciculation
Facial myokymia -> facial_myokymia fasciculation
Tongue fasciculations -> fasciculation_tongue fasciculation
Tongue wasting with fasciculation -> fasciculation_tongue fasciculation muscle_atrophy
Twitching persists during sleep -> twitching_in_sleep fasciculation
Twitching only during sleep -> fasciculation
Benign fasciculation syndrome -> benign_fasciculation_syndrome fasciculation
Cramp-fasciculation syndrome -> cramp_fasciculation_syndrome fasciculation cramp_spasm
Muscle spasm -> cramp_spasm
Leg cramps -> cramp_spasm
Menstrual cramps -> -
Motor tics -> tic_mimic
Tic douloureux -> -
Essential tremor -> tremor_mimic
Myoclonic jerks -> myoclonus_mimic
Hemifacial spasm -> hemifacial_spasm
Belly dancer's dyskinesia -> abdominal_wall_dystonia
Focal seizure with facial twitching -> seizure_mimic
Epilepsy. Muscle twitching of calves -> seizure_mimic fasciculation
Fast-twitch fibre dominance -> -
Chest fluttering -> palpitations
Total thyroidectomy -> post_thyroidectomy
Status post gastric bypass -> bariatric_surgery malabsorption
Toxic effect of organophosphate insecticide (2026-03-01) -> organophosphate_poisoning
At risk of refeeding -> refeeding_risk
Becker muscular dystrophy -> muscular_dystrophy
Amyotrophic lateral sclerosis -> als
Motor neurone disease -> motor_neuron_disease
Kennedy's disease -> bulbospinal_muscular_atrophy
Foster-Kennedy syndrome -> -
Isaacs' syndrome -> neuromyotonia_isaacs
Guillain-Barré syndrome -> guillain_barre
Chronic kidney disease, stage 3a -> ckd_stage_3
CKD G5 -> ckd_stage_5
Stage 4 CKD -> ckd_stage_4
ESRD on haemodialysis -> ckd_stage_5 dialysis
Chronic renal failure -> ckd_unspecified
Chronic diarrhoea -> chronic_diarrhoea diarrhea
Coeliac disease -> celiac_disease
Injury of celiac artery -> -
Crohn's disease -> inflammatory_bowel_disease
Alcohol use disorder -> alcohol_use_disorder
Non-alcoholic fatty liver disease -> -
vegan 6 years, no supplement -> vegan_diet
Paraesthesia of feet -> paresthesia
Hypokalemia -> hypokalemia
Hypokalaemia -> hypokalemia
Low sodium diet -> -
Macrocytic anaemia -> macrocytosis anaemia
Stress incontinence -> -
Brisk reflexes -> hyperreflexia
Inducible clonus -> clonus
Extensor plantar response (Babinski sign) -> babinski
Orthopnoea: breathless when lying flat -> orthopnoea
Breathlessness at rest -> dyspnoea_rest
Excessive sweating (hyperhidrosis) -> hyperhidrosis
Saddle anesthesia -> cauda_equina
Muscle weakness on examination -> muscle_weakness
Left foot drop -> muscle_weakness
Power 4/5 in left arm -> muscle_weakness
Power 5/5 throughout -> -
Rapidly progressive leg weakness -> rapidly_progressive_weakness muscle_weakness
Hypothenar atrophy -> muscle_atrophy
Renal potassium wasting -> -
legs feel weak -> weakness_reported
Complains of leg weakness -> weakness_reported
Neurological examination -> neuro_examination
Normal neurological examination -> -
Sleep duration per night -> sleep_duration
Symptom reported by the patient -> reported_symptom
Diet -> diet
Diabetic diet counselling -> -
Generalized anxiety disorder 7 item (GAD-7) total score -> -
Restless legs syndrome -> -
"""
# Denied, doubted, feared, past, or somebody else's.
CONTEXT = """
No twitching -> -
Denies cramps -> -
Denies twitching, cramps and weakness -> -
No fasciculations, cramps, wasting or weakness -> -
No weakness, twitching, and cramps -> -
No cramps or weakness, twitching for weeks -> fasciculation
No cramps or twitching -> -
Denies twitching at rest or on exertion, pain, cramps -> -
No tremor, but twitching -> fasciculation
Patient denies muscle twitching but has cramps -> cramp_spasm
No weakness, twitching of calves for 3 weeks -> fasciculation
no weakness; fasciculations present -> fasciculation
Twitching without weakness -> fasciculation
Twitching not associated with weakness -> fasciculation
Has not noticed any twitching -> -
Negative for fasciculations -> -
Fasciculations: none -> -
Fasciculations absent -> -
Fasciculations with absent reflexes -> fasciculation
Babinski negative -> -
Muscle twitching: no -> -
Muscle twitching: yes -> fasciculation
Twitching not seen in the legs -> -
Tongue: no fasciculations -> -
No change in twitching -> fasciculation
No cause found for twitching -> fasciculation
Cannot stop twitching -> fasciculation
Twitching has not resolved -> fasciculation
Twitching (resolved) -> -
History of fasciculations -> -
3 week history of fasciculations -> fasciculation
History of thyroidectomy -> post_thyroidectomy
Previous alcohol abuse -> alcohol_use_disorder
History of pregnancy -> -
Family history of ALS -> -
FHx: ALS -> -
Mother with ALS -> -
Mother had ALS, patient has twitching -> fasciculation
Wife noticed twitching -> fasciculation
?ALS -> -
ALS? -> -
R/O ALS -> -
Suspected ALS -> -
Concern for ALS -> -
ALS ruled out -> -
ALS screening -> -
No evidence of motor neurone disease -> -
Fear of ALS -> -
Fear of fasciculations -> -
Fear of ALS with muscle twitching -> fasciculation
Worried about ALS -> -
Worried about muscle twitching -> fasciculation
Health anxiety re MND -> anxiety
Muscle twitching, rule out ALS -> fasciculation
Muscle twitching - ?cause -> fasciculation
Possible benign fasciculation syndrome -> fasciculation
Tremor vs fasciculation -> -
Any muscle twitching? -> fasciculation
Any twitching? No -> -
Twitching? Yes -> fasciculation
Worse? Muscle twitching -> fasciculation
Not at risk of refeeding -> -
"""


def rows(table: str) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for line in table.strip().splitlines():
        text, _, expected = line.rpartition(" -> ")
        found.append((text, () if expected == "-" else tuple(expected.split())))
    return found


@pytest.mark.parametrize(("text", "expected"), rows(PHRASES))
def test_a_plain_text_means_its_concepts(text: str, expected: tuple[str, ...]) -> None:
    assert set(concepts_of([], text).concepts) == set(expected)
    assert concepts_of([], text).by_text == bool(expected)


@pytest.mark.parametrize(("text", "expected"), rows(CONTEXT))
def test_a_text_may_take_back_what_it_names(text: str, expected: tuple[str, ...]) -> None:
    assert set(concepts_of([], text).concepts) == set(expected)


def test_a_concept_is_followed_by_what_it_implies() -> None:
    assert concepts_of([], "Tongue fasciculations") == ConceptMatch(
        ("fasciculation_tongue", "fasciculation"), by_text=True
    )
    coded = concepts_of([Coding(HPO, "HP:0001308")], None)
    assert coded == ConceptMatch(("fasciculation_tongue", "fasciculation"), by_text=False)


def test_every_code_means_its_concept_and_its_display_names_no_other() -> None:
    for name, row in concepts().items():
        for code in (code for value_set in row.value_sets for code in load()[value_set].codes):
            found = concepts_of([Coding(code.system, code.code, code.display)], code.display)
            assert found.concepts[0] == name, code
            assert not found.by_text
            by_text = concepts_of([], code.display).concepts
            assert not by_text or name in by_text or row.kind == "history" or code.code == "F10.939", code


@pytest.mark.parametrize(
    ("codings", "text", "expected"),
    [
        ([Coding(ICD_10_CM, "R253")], None, ("fasciculation",)),
        ([Coding(ICD_10_CM, "R25.3")], "Tongue fasciculation", ("fasciculation", "fasciculation_tongue")),
        ([Coding(ICD_10_CM, "R25.3")], "Left calf", ("fasciculation",)),
        ([Coding(ICD_10_CM, "R25.3")], "No fasciculation seen", ()),
        ([Coding(ICD_10_CM, "R25.3")], "Possible fasciculation", ("fasciculation",)),
        ([Coding(ICD_10_CM, "R25.3")], "History of fasciculation", ("fasciculation",)),
        ([Coding("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "R25.3")], "Faszikulation", ("fasciculation",)),
        ([Coding("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "R25.3")], None, ("fasciculation",)),
        ([Coding("http://hl7.org/fhir/sid/icd-10-am", "R25.3")], None, ("fasciculation",)),
        ([Coding("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M62.81")], "Schulterregion", ()),
        ([Coding(ICD_10_CM, "G12.21")], "?ALS", ()),
        ([Coding(ICD_10_CM, "G12.21")], "Family history of ALS", ()),
        ([Coding(ICD_10_CM, "G12.21")], "ALS", ("als",)),
        ([Coding(ICD_10_CM, "G71.19")], "Neuromyotonia (Isaacs)", ("neuromyotonia_isaacs",)),
        ([Coding(ICD_10_CM, "G71.19")], "Paramyotonia congenita", ("myotonic_disorder_other",)),
        ([Coding(ICD_10_CM, "R29.2")], "Absent ankle reflexes", ("abnormal_reflex",)),
        ([Coding(ICD_10_CM, "R29.2")], "Brisk reflexes", ("hyperreflexia",)),
        ([Coding(ICD_10_CM, "N18.4")], "Chronic kidney disease", ("ckd_stage_4",)),
        ([Coding(SNOMED_CT, "700378005")], None, ("ckd_stage_3",)),
        ([Coding(ICD_10_CM, "K52.29")], None, ("diarrhea",)),
        ([Coding("http://hl7.org/fhir/sid/icd-10", "M62.81")], None, ()),
        ([Coding(ICD_10_CM, "Z99.9", "Muscle twitching")], None, ("fasciculation",)),
        ([Coding(ICD_10_CM, "Z99.9", "Muscle twitching")], "No twitching", ()),
        ([Coding(ICD_10_CM, "F15.10", "Other stimulant abuse, uncomplicated")], None, ("stimulant_use",)),
        ([Coding(LOINC, "80489-8")], "Caffeine intake per day", ("caffeine_intake_24h",)),
        (
            [Coding(LOINC, "72109-2", "Alcohol Use Disorder Identification Test - Consumption [AUDIT-C]")],
            "Alcohol use disorder screen",
            ("audit_c_panel",),
        ),
        ([], None, ()),
        ([Coding(None, None)], "", ()),
    ],
)
def test_code_and_text_are_read_together(
    codings: list[Coding], text: str | None, expected: tuple[str, ...]
) -> None:
    assert set(concepts_of(codings, text).concepts) == set(expected)


@pytest.mark.parametrize(
    ("codings", "text", "suspected"),
    [
        ([], "?ALS", ("als",)),
        ([], "Rule out ALS", ("als",)),
        ([], "Possible motor neurone disease", ("motor_neuron_disease",)),
        ([Coding(ICD_10_CM, "G12.21")], "Suspected ALS", ("als",)),
        ([Coding(None, None, "?ALS")], None, ("als",)),
        ([], "Muscle twitching, ?MND", ("motor_neuron_disease",)),
        ([], "ALS", ()),
        ([], "ALS, ?cause of falls", ()),
        ([], "ALS ruled out", ()),
        ([], "No ALS", ()),
        ([], "Family history of ALS", ()),
        ([], "Worried about ALS", ()),
        ([], "Fear of ALS", ()),
        ([Coding(None, None, "?ALS")], "ALS ruled out", ()),
        ([], "Possible twitching", ()),
    ],
)
def test_a_disease_that_a_text_holds_possible_is_suspected(
    codings: list[Coding], text: str | None, suspected: tuple[str, ...]
) -> None:
    assert concepts_of(codings, text).suspected == suspected


def test_rules_may_name_every_concept() -> None:
    assert {"fasciculation", "ckd_stage_5", "neuro_exam_normal", "celiac_disease"} <= concepts().keys()
    for name, row in concepts().items():
        assert {*row.implies} <= concepts().keys(), name


def test_a_denial_does_not_reach_through_a_whole_letter() -> None:
    assert concepts_of([], "Denies pain " + "after the walk " * 20 + "muscle twitching").concepts == (
        "fasciculation",
    )


def test_a_long_narrative_is_read_to_its_limit_and_quickly() -> None:
    assert "fasciculation" in concepts_of([], "Muscle twitching. " + "lorem ipsum " * 100_000).concepts
    assert concepts_of([], "twitching " * 100_000).concepts == ("fasciculation",)
