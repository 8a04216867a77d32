from __future__ import annotations

from typing import NamedTuple

import pytest

from terminology import orders
from terminology.coding import LOINC, SNOMED_CT
from terminology.orders import tests as orderable_tests
from terminology.quantity import analytes
from terminology.valuesets import load


class Coding(NamedTuple):
    system: str | None
    code: str | None
    display: str | None = None


TEXTS = """
CMP -> cmp_panel
Comprehensive metabolic panel -> cmp_panel
BMP -> bmp_panel
Chem-7 -> bmp_panel
Electrolytes -> electrolytes_panel
Renal function panel -> renal_panel
U&E -> sodium potassium renal_function
U&Es -> sodium potassium renal_function
Urea and electrolytes -> sodium potassium renal_function
CBC with differential -> cbc_panel
FBC -> cbc_panel
Free T4 and TSH panel -> tsh_ft4_panel ft4 tsh
TFTs -> tsh
Serum potassium -> potassium
K -> potassium
Na, K, Mg -> sodium potassium magnesium
Calcium -> calcium_total
Albumin -> albumin
Adjusted calcium -> calcium_total albumin
Calcium, ionized -> calcium_ionised
Creatinine -> renal_function
eGFR -> renal_function
25-OH vitamin D -> vit_d_25oh
Vitamin B12 -> vit_b12
Active B12 -> active_b12
Methylmalonic acid -> mma
Vitamin B6 -> plp_b6
Lithium level -> lithium_level
Theophylline -> theophylline_level
Serum cholinesterase -> cholinesterase
CASPR2 and LGI1 antibodies -> caspr2_lgi1_ab
VGKC antibodies -> vgkc_ab
12-lead ECG -> ecg
EMG/NCS -> emg_ncs
Electromyography -> emg_ncs
Nerve conduction studies -> ncs
MRI brain and cervical spine -> mri_brain mri_c_spine
MRI of the brain with contrast -> mri_brain
MRI L-spine -> mri_l_spine
MRI whole spine -> mri_spine
CT head -> ct
Referral to neurology -> neurology_referral
Neurology -> neurology_referral
CT abdomen -> -
Echocardiogram -> -
Urine potassium -> -
Creatinine clearance -> -
Cholinesterase inhibitor -> -
Electrolyte replacement -> -
Neurology ward round -> -
Ferritin -> -
Walk 30 minutes a day -> -
"""


@pytest.mark.parametrize("line", TEXTS.strip().splitlines())
def test_an_order_is_known_by_its_text(line: str) -> None:
    text, _, expected = line.rpartition(" -> ")
    wanted = () if expected == "-" else tuple(expected.split())
    assert sorted(orders.tests_of([], text)) == sorted(wanted)
    assert sorted(orders.tests_of([Coding("http://local.example.org", "1", text)], None)) == sorted(wanted)


def test_every_code_of_a_test_or_of_its_results_names_it() -> None:
    for name, row in orderable_tests().items():
        sets = (
            *row.value_sets,
            *(found for analyte in row.analytes for found in analytes()[analyte].value_sets),
        )
        for code in (code for value_set in sets for code in load()[value_set].codes):
            found = orders.tests_of([Coding(code.system, code.code)], None)
            assert name in found, code
            by_text = orders.tests_of([], code.display)
            assert not by_text or name in by_text, code


def test_a_known_code_outweighs_the_text() -> None:
    assert orders.tests_of([Coding(LOINC, "24323-8")], "CMP + Mg") == ("cmp_panel",)
    assert orders.tests_of([Coding(SNOMED_CT, "816077007")], None) == ("mri_brain",)


def test_a_loinc_code_we_do_not_know_may_be_of_another_specimen() -> None:
    assert orders.tests_of([Coding(LOINC, "2828-2")], "Potassium") == ()
    assert orders.tests_of([Coding(LOINC, "2828-2")], "Serum potassium") == ("potassium",)


def test_nothing_names_nothing() -> None:
    assert orders.tests_of([], None) == orders.tests_of([Coding(None, None)], "") == ()


def test_codes_of_a_site_are_recognised_until_they_are_taken_back() -> None:
    coding = Coding("urn:site", "17")
    orders.recognise({("urn:site", "17"): ("magnesium",)})
    found = orders.tests_of([coding], None)
    orders.recognise({})
    assert (found, orders.tests_of([coding], None)) == (("magnesium",), ())
