from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.coding import (
    ATC,
    HPO,
    ICD_10,
    ICD_10_CM,
    ICD_10_NATIONAL,
    LOINC,
    NDC,
    RXNORM,
    SNOMED_CT,
    UCUM,
    canonical_system,
    loinc_check_digit_ok,
    snomed_check_digit_ok,
)
from terminology.valuesets import load


@pytest.mark.parametrize("system", [LOINC, SNOMED_CT, RXNORM, NDC, ATC, ICD_10_CM, ICD_10, UCUM, HPO])
def test_a_system_is_known_by_its_own_uri_however_it_is_written(system: str) -> None:
    for written in (system, f"{system}/", f" {system} ", system.upper(), system.replace("http:", "https:")):
        assert canonical_system(written) == system


@pytest.mark.parametrize(
    ("written", "system"),
    [
        ("urn:oid:2.16.840.1.113883.6.1", LOINC),
        ("2.16.840.1.113883.6.1", LOINC),
        ("https://www.loinc.org", LOINC),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED_CT),
        ("http://snomed.info/sct/900000000000207008/version/20240301", SNOMED_CT),
        ("urn:oid:2.16.840.1.113883.6.88", RXNORM),
        ("urn:oid:2.16.840.1.113883.6.69", NDC),
        ("urn:oid:2.16.840.1.113883.6.73", ATC),
        ("urn:oid:2.16.840.1.113883.6.90", ICD_10_CM),
        ("http://hl7.org/fhir/sid/icd-10-us", ICD_10_CM),
        ("http://www.hl7.org/fhir/sid/icd-10-cm", ICD_10_CM),
        ("http://hl7.org/fhir/sid/icd-10-cm|2024", ICD_10_CM),
        ("urn:oid:2.16.840.1.113883.6.3", ICD_10),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", ICD_10_NATIONAL),
        ("http://hl7.org/fhir/sid/icd-10-nl", ICD_10_NATIONAL),
        ("urn:oid:2.16.840.1.113883.6.8", UCUM),
        ("http://purl.obolibrary.org/obo/hp.owl", HPO),
        ("http://purl.obolibrary.org/obo/hp.fhir", HPO),
    ],
)
def test_aliases_and_oids_are_the_system_they_stand_for(written: str, system: str) -> None:
    assert canonical_system(written) == system


@pytest.mark.parametrize(
    "written", ["http://loinc.org.example.org", "http://snomed.info/sctx", "urn:uuid:1", "x" * 5000]
)
def test_an_unknown_system_stays_as_it_is(written: str) -> None:
    assert canonical_system(written) == written


def test_no_system_is_empty() -> None:
    assert canonical_system(None) == ""
    assert canonical_system("") == ""


@pytest.mark.parametrize(
    "code",
    ["14999-9", "74708-0", "2891-9", "2823-4", "2823", "02823-3", "2823-33", "LP15098-4", "", "K", "2823-3 "],
)
def test_what_is_no_loinc_code_is_told_by_its_shape_or_digit(code: str) -> None:
    assert not loinc_check_digit_ok(code)


@pytest.mark.parametrize("code", ["86044004", "8604400", "086044005", "12345", "1" * 19, "", "R25.3"])
def test_what_is_no_snomed_identifier_is_told_by_its_shape_or_digit(code: str) -> None:
    assert not snomed_check_digit_ok(code)


def codes_of(system: str) -> list[str]:
    return sorted(
        {code.code for value_set in load().values() for code in value_set.codes if code.system == system}
    )


def test_every_loinc_and_snomed_code_of_every_value_set_has_its_check_digit() -> None:
    assert len(codes_of(LOINC)) > 250
    assert len(codes_of(SNOMED_CT)) > 130
    assert [code for code in codes_of(LOINC) if not loinc_check_digit_ok(code)] == []
    assert [code for code in codes_of(SNOMED_CT) if not snomed_check_digit_ok(code)] == []


@given(code=st.sampled_from(codes_of(LOINC)), place=st.integers(0, 7), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_breaks_a_loinc_code(code: str, place: int, digit: str) -> None:
    changed = code[:place] + digit + code[place + 1 :]
    if place < len(code) and code[place] not in ("-", digit):
        assert not loinc_check_digit_ok(changed)


@given(
    code=st.sampled_from(codes_of(SNOMED_CT)), place=st.integers(0, 20), digit=st.sampled_from("0123456789")
)
def test_one_wrong_digit_or_two_swapped_break_a_snomed_identifier(code: str, place: int, digit: str) -> None:
    if place < len(code) and code[place] != digit:
        assert not snomed_check_digit_ok(code[:place] + digit + code[place + 1 :])
    swapped = code[:place] + code[place : place + 2][::-1] + code[place + 2 :]
    if swapped != code:
        assert not snomed_check_digit_ok(swapped)
