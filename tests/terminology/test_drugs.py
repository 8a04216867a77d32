"""What `recognise` says of a medication, in sentences a pharmacist can check."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.coding import ATC, NDC, RXNORM, SNOMED_CT
from terminology.drugs import DrugMatch, recognise


class Coding(NamedTuple):
    system: str | None = None
    code: str | None = None
    display: str | None = None


# text | the order's route | classes that count | local
BY_TEXT = """
hydrochlorothiazide 25 mg daily            |                  | thiazide
HCTZ 25                                    | PO               | thiazide
chlortalidone 25 mg                        | by mouth         | thiazide
indapamide 2.5 mg                          | oral             | thiazide
bendroflumethiazide 2.5 mg                 |                  | thiazide
hydroflumethiazide                         |                  | thiazide
polythiazide 1 mg                          |                  | thiazide
trichlormethiazide 4 mg                    |                  | thiazide
lisinopril/hydrochlorothiazide 20/12.5     |                  | ace_inhibitor thiazide
Losartan-Hydrochlorothiazide               |                  | arb thiazide
Hydrochlorothiazid 12,5 mg                 | zum Einnehmen    | thiazide
frusemide 40 mg                            |                  | loop_diuretic
Lasix 40mg                                 |                  | loop_diuretic
torasemide 10 mg                           |                  | loop_diuretic
etacrynic acid 50 mg                       |                  | loop_diuretic
Spironolactone 25 MG Oral Tablet           |                  | potassium_sparing_diuretic
acetazolamide 250 mg                       | oral             | carbonic_anhydrase_inhibitor
prednisolone 40 mg                         | oral             | systemic_corticosteroid
prednisone                                 |                  | systemic_corticosteroid
dexamethasone                              | Subcutaneous     | systemic_corticosteroid
hydrocortisone 20 mg                       |                  | systemic_corticosteroid
hydrocortisone 1 %                         |                  |                           | local_corticosteroid
hydrocortisone 10 mg/g                     |                  |                           | local_corticosteroid
betamethasone valerate 0.1% cream          | cutaneous        |                           | local_corticosteroid
betamethasone                              |                  |                           | local_corticosteroid
prednisolone 1% eye drops                  |                  |                           | local_corticosteroid
prednisolone                               | eye drops        |                           | local_corticosteroid
prednisolone 20 mg enema                   |                  |                           | local_corticosteroid
budesonide nasal spray                     |                  |                           | local_corticosteroid
budesonide 3 mg capsules                   |                  | systemic_corticosteroid
budesonide 0.5 mg/2 mL nebuliser           |                  |                           | inhaled_corticosteroid
budesonide 200 micrograms                  | INH              |                           | inhaled_corticosteroid
budesonide/formoterol 200/6 two puffs bd   | inhalation       | beta2_agonist             | inhaled_corticosteroid
Symbicort Turbuhaler                       |                  | beta2_agonist             | inhaled_corticosteroid
Symbicort 2 puffs                          | by mouth         | beta2_agonist             | inhaled_corticosteroid
methylprednisolone 80 mg                   | intra-articular  |                           | local_corticosteroid
triamcinolone 40 mg joint injection        |                  |                           | local_corticosteroid
triamcinolone 40 mg                        | intramuscular    | systemic_corticosteroid
Depo-Medrol 40 mg                          |                  | systemic_corticosteroid
dexamethasone sodium phosphate 4 mg/mL     | IV               | systemic_corticosteroid
ethinylestradiol/levonorgestrel            | oral             | estrogen_systemic
combined oral contraceptive                |                  | estrogen_systemic
estradiol 2 mg oral                        |                  | estrogen_systemic
oestradiol                                 |                  | estrogen_systemic
estradiol 50 microgram/24h patch           | topical          | estrogen_systemic
estradiol 0.06 % gel                       |                  | estrogen_systemic
Estrogel                                   | cutaneous        | estrogen_systemic
NuvaRing                                   | PV               | estrogen_systemic
estradiol 10 microgram vaginal tablet      |                  |                           | vaginal_estrogen
estradiol                                  | per vagina       |                           | vaginal_estrogen
Premarin vaginal cream                     |                  |                           | vaginal_estrogen
conjugated oestrogens 0.625 mg             |                  | estrogen_systemic
dexamfetamine 20 mg                        |                  | amphetamine
lisdexamfetamine 30 mg                     |                  | amphetamine
methamphetamine                            |                  | amphetamine
methylphenidate 10 mg                      |                  | methylphenidate
Concerta                                   |                  | methylphenidate
modafinil 200 mg                           |                  | stimulant_other
atomoxetine                                |                  | stimulant_other
Excedrin                                   |                  | caffeine_medicine
theophylline 300 mg                        |                  | theophylline
aminophylline                              | IV               | theophylline
pseudoephedrine 60 mg                      |                  | decongestant
ephedrine                                  | intranasal       |                           | local_decongestant
Sudafed PE                                 |                  |
salbutamol 4 mg tablets                    |                  | beta2_agonist
levalbuterol                               | inhaled          | beta2_agonist
Ventolin Evohaler 100 micrograms           |                  | beta2_agonist
lithium carbonate 800 mg                   |                  | lithium
pyridostigmine 60 mg qds                   |                  | cholinesterase_inhibitor
rivastigmine patch                         | topical          | cholinesterase_inhibitor
physostigmine                              | eye drops        |                           | local_cholinesterase_inhibitor
sertraline 150 mg                          |                  | ssri_snri
escitalopram                               |                  | ssri_snri
desvenlafaxine                             |                  | ssri_snri
tramadol 100 mg qds                        |                  | serotonergic_other
linezolid 600 mg bd                        |                  | serotonergic_other
sumatriptan                                | nasal            | serotonergic_other
moclobemide                                |                  | serotonergic_other
dosulepin 75 mg                            |                  | serotonergic_other
lofepramine                                |                  | serotonergic_other
St John\u2019s wort                             |                  | serotonergic_other
doxepin cream                              |                  |                           | local_serotonergic_other
fentanyl 25 micrograms/h patch             |                  |
tedizolid 200 mg                           |                  |
bupropion XL 300 mg                        |                  | bupropion
omeprazole 20 mg OTC                       |                  | ppi
Omeprazol 20 mg Kapseln                    | Oral anvendelse  | ppi
esomeprazole magnesium 40 mg               |                  | ppi
famotidine                                 |                  | h2_blocker
denosumab 60 mg SC                         |                  | denosumab
denosumab-bbdz                             |                  | denosumab
denosumab-zzzz 60 mg                       |                  | denosumab
Prolia                                     | Subcutaneous     | denosumab
zoledronate 5 mg infusion                  |                  | bisphosphonate
ibandronic acid 3 mg                       | IV               | bisphosphonate
ibandronic acid 150 mg                     |                  | bisphosphonate_oral
alendronic acid 70 mg weekly               |                  | bisphosphonate_oral
clodronate 800 mg tablet                   |                  | bisphosphonate_oral
clodronic acid                             | intravenous      | bisphosphonate
cinacalcet 30 mg                           |                  | calcimimetic
foscarnet                                  | IV               | foscarnet
phenytoin 300 mg                           |                  | enzyme_inducing_anticonvulsant
gentamicin 240 mg                          | IV               | aminoglycoside
gentamicin eye drops                       |                  |                           | local_aminoglycoside
tobramycin inhalation solution             |                  |                           | local_aminoglycoside
neomycin 500 mg tablet                     |                  |                           | local_aminoglycoside
AmBisome                                   |                  | amphotericin_b
cisplatin                                  |                  | platinum
cetuximab                                  |                  | anti_egfr
ciclosporin 100 mg                         | oral             | calcineurin_inhibitor
tacrolimus 0.1% ointment                   |                  |                           | local_calcineurin_inhibitor
pentamidine                                | nebulised        |                           | local_pentamidine
isoniazid 300 mg                           |                  | isoniazid
levothyroxine 175 micrograms               |                  | levothyroxine
metformin 1 g bd                           |                  | metformin
macrogol 3350 sachets                      |                  | laxative
senna 7.5 mg                               |                  | laxative
glycerin suppository                       |                  | laxative
glycerin                                   |                  |
suxamethonium 100 mg                       | IV               | succinylcholine
nitrous oxide                              | inhalation       | nitrous_oxide
biotin 10 mg daily                         |                  | biotin
pyridoxine 50 mg                           |                  | pyridoxine_supplement
Vitamin B 12 5 MG/ML Injectable Solution   |                  | vitamin_b12_supplement
cyanocobalamin 1 mg                        | IM               | vitamin_b12_supplement
colecalciferol 800 units                   |                  | vitamin_d_supplement
alfacalcidol 250 nanograms                 |                  | vitamin_d_supplement
Calcium carbonate/vitamin D3 1.25 g/400 IU |                  | calcium_supplement_antacid vitamin_d_supplement
Potassium chloride 20 mEq ER tablet        |                  | potassium_supplement
magnesium 400 mg                           |                  | magnesium_supplement
aluminium hydroxide/magnesium hydroxide    |                  | magnesium_supplement
ramipril 10 mg                             |                  | ace_inhibitor
atorvastatin calcium 20 mg                 |                  | statin
haloperidol                                |                  | antipsychotic
morphine sulfate                           |                  | opioid_myoclonus
pregabalin                                 |                  | gabapentinoid
domperidone 10 mg                          |                  | antiemetic_dopamine_antagonist
colchicine 500 micrograms                  |                  | colchicine
teriparatide                               |                  | teriparatide
"""


def rows(table: str, columns: int) -> list[list[str]]:
    found = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [row + [""] * (columns - len(row)) for row in found]


@pytest.mark.parametrize(("text", "route", "classes", "local"), rows(BY_TEXT, 4))
def test_a_text_names_its_classes(text: str, route: str, classes: str, local: str) -> None:
    match = recognise([], [text], route)
    assert (set(match.classes), set(match.local)) == (set(classes.split()), set(local.split()))
    assert match.by == ("text" if match.ingredients else "")


@pytest.mark.parametrize(
    "text",
    [
        "amlodipine 5 mg",
        "nystatin",
        "cilastatin",
        "pentostatin",
        "insulin glargine",
        "oxaliplatin",
        "INH 300 mg",
        "",
    ],
)
def test_a_medicine_of_no_class_is_not_recognised(text: str) -> None:
    assert recognise([], [text]) == DrugMatch()


def test_the_ingredients_let_a_rule_count_distinct_serotonergic_agents() -> None:
    agents = {
        name for text in ("sertraline", "Zoloft", "tramadol") for name in recognise([], [text]).ingredients
    }
    assert agents == {"sertraline", "tramadol"}


def test_an_atc_code_without_a_name_is_its_own_agent() -> None:
    assert recognise([Coding(ATC, "N06AB06")], []).ingredients == ("N06AB06",)
    assert recognise([Coding(ATC, "N06AB06", "sertraline")], []).ingredients == ("sertraline",)


def test_nebulised_and_inhaled_are_told_apart() -> None:
    assert recognise([], ["salbutamol 5 mg nebuliser"], "inhalation").route == "nebulised"
    assert recognise([Coding(RXNORM, "435")], ["salbutamol 5 mg nebuliser"]).route == "nebulised"
    assert recognise([], ["salbutamol 100 micrograms, 2 puffs"]).route == "inhaled"
    assert recognise([Coding(RXNORM, "630208")], []).route == "nebulised"


def test_a_display_is_read_before_the_texts() -> None:
    match = recognise(
        [Coding("http://example.org/local", "F40", "Furosemide 40 mg tablet")], ["take with lithium"]
    )
    assert match == DrugMatch(("furosemide",), ("loop_diuretic",), (), "oral", "text")


def test_the_route_may_stand_in_another_text_than_the_name() -> None:
    match = recognise([], ["hydrocortisone", "apply to the affected area twice daily"])
    assert (match.local, match.route) == (("local_corticosteroid",), "topical")


anything = st.one_of(st.none(), st.text())
names = st.sampled_from(
    ["furosemide", "not taking", "potassium", "losartan", "/", " / ", "%", "20 mg", "\n", "free", ","]
)


@given(
    st.lists(
        st.builds(
            Coding, st.one_of(anything, st.sampled_from([RXNORM, NDC, ATC, SNOMED_CT])), anything, anything
        )
    ),
    st.lists(st.one_of(st.text(), st.lists(names).map(" ".join))),
    st.text(),
)
def test_it_answers_whatever_is_sent(codings: list[Coding], texts: list[str], route: str) -> None:
    match = recognise(codings, texts, route)
    assert not (match.classes and not match.ingredients)
    assert not (match.no_medicine and match.ingredients)
    assert bool(match.by) == bool(match.ingredients)
