from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
import ucumvert
from hypothesis import given
from hypothesis import strategies as st

from terminology.quantity import Quantity, Refusal, UnitError, analytes, convert, read, unit_code, units

UCUM = "http://unitsofmeasure.org"

# analyte, unit as written, the unit it is read in ("" = refused); blanks in the first column repeat the one above.
SLOPPY = """
potassium     mmol/L mmol/L | mmol/l mmol/L | mmoL/L mmol/L | mMol/L mmol/L | MMOL/L mmol/L | mmol/liter mmol/L | mmol/litre mmol/L
potassium     mEq/L meq/L | meq/L meq/L | mEq/l meq/L | mEQ/L meq/L | MEQ/L meq/L | meq/l meq/L | mval/L meq/L
potassium     mg/dL mg/dL | mg/dl mg/dL | MG/DL mg/dL
potassium     mg% - | K/uL - | mmol - | mol/L - | Mmol/L - | mq/dL - | mmol/dL - | g/dL - | ng/mL - | x - | % - | {score} -
sodium        mmol/L mmol/L | mEq/L meq/L | mg/dL - | g/L -
chloride      mmol/l mmol/L | mEq/L meq/L
bicarbonate   mmol/L mmol/L | mEq/L meq/L | kPa - | mm[Hg] -
calcium_total mg/dL mg/dL | mmol/L mmol/L | mEq/L meq/L | mg/100mL mg/dL | mg/dl mg/dL | umol/L - | g/dL -
magnesium     mg/dL mg/dL | mmol/l mmol/L | mEq/L meq/L | MEQ/L meq/L
phosphate     mg/dL mg/dL | mmol/L mmol/L | mEq/L -
albumin       g/dL g/dL | g/dl g/dL | G/DL g/dL | gm/dL g/dL | g/L g/L | g/l g/L | mg/dL - | umol/L - | % -
creatinine    mg/dL mg/dL | umol/L umol/L | µmol/L umol/L | μmol/L umol/L | umol/l umol/L | mcmol/L umol/L | mmol/L mmol/L
egfr          mL/min/{1.73_m2} = | mL/min/1.73m2 = | mL/min/1.73_m2 = | ml/min/1.73m2 = | mL/min/1.73m*2 = | mL/min =
glucose       mg/dL mg/dL | mmol/L mmol/L | % -
haemoglobin   g/dL g/dL | g/L g/L | gm/dl g/dL | mmol/L -
mcv           fL fL | fl fL | FL fL | um3 fL | pg -
tsh           m[IU]/L m[IU]/L | mIU/L m[IU]/L | mU/L m[IU]/L | miU/L m[IU]/L | mIU/l m[IU]/L | MIU/L m[IU]/L
tsh           u[IU]/mL u[IU]/mL | uIU/mL u[IU]/mL | mcIU/mL u[IU]/mL | µIU/mL u[IU]/mL | μIU/mL u[IU]/mL | uU/mL u[IU]/mL
tsh           mcU/mL u[IU]/mL | UIU/ML u[IU]/mL | uIU/ml u[IU]/mL | mIU/mL - | ng/mL - | U/L - | IU/L -
ft4           ng/dL ng/dL | ng/dl ng/dL | pmol/L pmol/L | pmol/l pmol/L | pg/mL pg/mL | ng/L ng/L | ug/dL -
ft3           pg/mL pg/mL | PG/ML pg/mL | pmol/L pmol/L | nmol/L -
vitamin_d_25oh ng/mL ng/mL | NG/ML ng/mL | nmol/L nmol/L | nmol/l nmol/L | ug/L ug/L | µg/L ug/L | mcg/L ug/L | ng/dL - | IU -
vitamin_b12   pg/mL pg/mL | pg/ml pg/mL | ng/L ng/L | pmol/L pmol/L | ug/L -
active_b12    pmol/L pmol/L | pg/mL -
mma           umol/L umol/L | nmol/L nmol/L | µmol/l umol/L
plp           nmol/L nmol/L | ug/L ug/L | ng/mL ng/mL
pth           pg/mL pg/mL | pmol/L pmol/L | ng/L ng/L
ck            U/L U/L | u/l U/L | IU/L U/L | [IU]/L U/L | [iU]/L U/L | UI/L U/L | ukat/L -
alp           U/L U/L | IU/L U/L
lithium       mmol/L mmol/L | mEq/L meq/L | ug/mL - | mg/L - | mg/dL -
theophylline  ug/mL ug/mL | mcg/mL ug/mL | µg/mL ug/mL | mg/L mg/L | umol/L umol/L
ferritin      ng/mL -
caffeine_intake_24h mg/(24.h) = | mg/d = | mg/day = | mg/24h = | mg -
sleep_duration h h | hours h | hr h | h/night h | min -
"""
INDEXED = "mL/min/{1.73_m2}"
SAME = {"egfr": INDEXED, "caffeine_intake_24h": "mg/(24.h)"}
TYPICAL = {
    "potassium": "12", "sodium": "140", "chloride": "100", "bicarbonate": "25", "calcium_total": "5", "magnesium": "1",
    "phosphate": "1", "albumin": "6", "creatinine": "5", "egfr": "60", "glucose": "7", "haemoglobin": "12", "mcv": "90",
    "tsh": "2", "ft4": "1", "ft3": "3", "vitamin_d_25oh": "30", "vitamin_b12": "300", "active_b12": "40", "mma": "50",
    "plp": "30", "pth": "40", "ck": "100", "alp": "80", "lithium": "0.8", "theophylline": "10", "ferritin": "50",
    "caffeine_intake_24h": "600", "sleep_duration": "5",
}  # fmt: skip


def sloppy() -> list[tuple[str, str, str]]:
    rows = []
    for line in SLOPPY.strip().splitlines():
        analyte, _, spellings = line.partition(" ")
        for pair in spellings.split("|"):
            written, expected = pair.split()
            rows.append((analyte, written, SAME[analyte] if expected == "=" else expected.strip("-")))
    assert len(rows) > 150
    return rows


@pytest.mark.parametrize(("analyte", "written", "expected"), sloppy())
def test_a_unit_is_read_as_what_it_means_or_refused(analyte: str, written: str, expected: str) -> None:
    value = Decimal(TYPICAL[analyte])
    as_text = read(analyte, value, unit=written, code=None, system=None)
    as_code = read(analyte, value, unit=None, code=f" {written} ", system=f"{UCUM}/")
    for found in (as_text, as_code):
        if expected:
            assert found == Quantity(value, expected)
        else:
            assert isinstance(found, Refusal)
            assert found.reason == "unknown-unit"


@pytest.mark.parametrize(
    ("analyte", "text", "code", "system", "expected"),
    [
        ("potassium", "mEq/L", "mmol/L", UCUM, "mmol/L"),  # equal for a monovalent ion
        ("potassium", "mmol/L", "meq/L", UCUM, "meq/L"),
        ("vitamin_d_25oh", "ug/L", "ng/mL", UCUM, "ng/mL"),
        ("ck", "U/L", "[IU]/L", UCUM, "U/L"),
        ("tsh", "mIU/L", "u[IU]/mL", UCUM, "u[IU]/mL"),
        ("potassium", "mmol/L (serum)", "mmol/L", UCUM, "mmol/L"),
        ("potassium", "mmol/L", "mmol/L", None, "mmol/L"),
        ("potassium", "", "mmol/L", "", "mmol/L"),
        ("potassium", "mmol/L", "258813002", "http://snomed.info/sct", "mmol/L"),
        ("potassium", "mmol/L", "not-ucum", UCUM, "mmol/L"),
        ("magnesium", "mEq/L", "mmol/L", UCUM, "unit text says meq/L but code says mmol/L"),
        ("calcium_total", "mg/dL", "mmol/L", UCUM, "unit text says mg/dL but code says mmol/L"),
        ("potassium", "g/dL", "mmol/L", UCUM, "unit text says g/dL but code says mmol/L"),
        ("potassium", "U/L", "mmol/L", UCUM, "unit text says U/L but code says mmol/L"),
    ],
)
def test_code_and_text_agree_or_nothing_is_read(
    analyte: str, text: str, code: str, system: str | None, expected: str
) -> None:
    found = read(analyte, Decimal(4), unit=text, code=code, system=system)
    if isinstance(found, Refusal):
        assert (found.reason, found.detail) == ("unknown-unit", expected)
    else:
        assert found.unit == expected


@pytest.mark.parametrize(
    ("unit", "code", "system"),
    [(None, None, None), ("", "", ""), (" ", None, UCUM), (None, "258813002", "http://snomed.info/sct")],
)
def test_no_unit_is_no_value(unit: str | None, code: str | None, system: str | None) -> None:
    assert read("potassium", Decimal("2.9"), unit=unit, code=code, system=system) == Refusal(
        "no-unit", "2.9 has no unit"
    )


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "plausible"),
    [
        ("potassium", "12.1", "mg/dL", True),
        ("potassium", "4.1", "mg/dL", False),
        ("potassium", "1.0", "mmol/L", True),
        ("potassium", "10.5", "mmol/L", True),
        ("potassium", "41", "mmol/L", False),
        ("potassium", "-3", "mmol/L", False),
        ("potassium", "NaN", "mmol/L", False),
        ("potassium", "Infinity", "mmol/L", False),
        ("sodium", "98", "mmol/L", True),
        ("sodium", "1.40", "mmol/L", False),
        ("calcium_total", "4.5", "mg/dL", True),
        ("calcium_total", "2.3", "mg/dL", False),
        ("calcium_total", "9.5", "mmol/L", False),
        ("calcium_ionised", "0.6", "mmol/L", True),
        ("calcium_ionised", "1.2", "mg/dL", False),
        ("albumin", "42", "g/dL", False),
        ("albumin", "4.2", "g/L", False),
        ("creatinine", "90", "mg/dL", False),
        ("creatinine", "0.9", "umol/L", False),
        ("creatinine", "0.09", "mmol/L", True),
        ("magnesium", "0.2", "mmol/L", True),
        ("mma", "0.25", "nmol/L", False),
        ("tsh", "0", "m[IU]/L", True),
        ("lithium", "4.5", "mmol/L", True),
        ("ck", "250000", "U/L", True),
        ("glucose", "5.5", "mg/dL", False),
        ("sleep_duration", "25", "h", False),
    ],
)
def test_what_cannot_be_true_in_its_unit_is_refused(
    analyte: str, value: str, unit: str, *, plausible: bool
) -> None:
    found = read(analyte, Decimal(value), unit=unit, code=None, system=None)
    if plausible:
        assert found == Quantity(Decimal(value), unit)
    else:
        assert isinstance(found, Refusal)
        assert found.reason == "implausible-value"
        assert value in found.detail


def test_an_unknown_unit_is_quoted_but_not_in_full() -> None:
    found = read("potassium", Decimal(4), unit="z" * 500, code=None, system=None)
    assert isinstance(found, Refusal)
    assert "zzz" in found.detail
    assert len(found.detail) < 100


def test_an_analyte_without_units_is_refused_by_its_name() -> None:
    found = read("ferritin", Decimal(40), unit="ng/mL", code=None, system=None)
    assert found == Refusal("unknown-unit", "ng/mL is not a unit for ferritin")
    assert isinstance(read("no-such-analyte", Decimal(1), unit="mmol/L", code=None, system=None), Refusal)


@pytest.mark.parametrize(
    ("analyte", "value", "from_unit", "to_unit", "expected", "places"),
    [
        ("calcium_total", "1", "mg/dL", "mmol/L", "0.2495", 4),
        ("calcium_total", "5", "meq/L", "mmol/L", "2.5", 4),
        ("magnesium", "1", "mg/dL", "mmol/L", "0.4114", 4),
        ("magnesium", "1.7", "mg/dL", "mmol/L", "0.6994", 4),
        ("magnesium", "1.4", "meq/L", "mmol/L", "0.7", 4),
        ("phosphate", "1", "mg/dL", "mmol/L", "0.3229", 3),
        ("potassium", "12.1", "mg/dL", "mmol/L", "3.09", 2),
        ("potassium", "4.1", "meq/L", "mmol/L", "4.1", 4),
        ("lithium", "1.5", "meq/L", "mmol/L", "1.5", 4),
        ("albumin", "4.1", "g/dL", "g/L", "41", 4),
        ("vitamin_d_25oh", "20", "ng/mL", "nmol/L", "49.92", 2),
        ("vitamin_b12", "1", "pg/mL", "pmol/L", "0.7378", 4),
        ("vitamin_b12", "200", "ng/L", "pg/mL", "200", 4),
        ("plp", "1", "ug/L", "nmol/L", "4.046", 3),
        ("creatinine", "1", "mg/dL", "umol/L", "88.4", 1),
        ("urea_nitrogen", "1", "mg/dL", "mmol/L", "0.357", 3),
        ("ft4", "1", "ng/dL", "pmol/L", "12.87", 2),
        ("ft4", "1", "ng/dL", "pg/mL", "10", 4),
        ("ft3", "1", "pg/mL", "pmol/L", "1.536", 3),
        ("pth", "1", "pg/mL", "pmol/L", "0.1061", 4),
        ("glucose", "1", "mg/dL", "mmol/L", "0.0555", 4),
        ("tsh", "2.5", "u[IU]/mL", "m[IU]/L", "2.5", 4),
        ("tsh", "2.5", "mU/L", "u[IU]/mL", "2.5", 4),
        ("egfr", "55", "mL/min", INDEXED, "55", 4),
    ],
)
def test_conversions_have_the_published_factors(
    analyte: str, value: str, from_unit: str, to_unit: str, expected: str, places: int
) -> None:
    found = convert(analyte, Decimal(value), from_unit, to_unit)
    assert round(found, places) == round(Decimal(expected), places)


@pytest.mark.parametrize(
    ("analyte", "from_unit", "to_unit"),
    [
        ("potassium", "mmol/L", "g"),
        ("sodium", "mmol/L", "U/L"),
        ("albumin", "g/L", "mmol/L"),
        ("chloride", "mmol/L", "mg/dL"),
        ("phosphate", "mmol/L", "meq/L"),
        ("no-such-analyte", "mmol/L", "mg/dL"),
    ],
)
def test_there_is_no_conversion_without_a_stated_way(analyte: str, from_unit: str, to_unit: str) -> None:
    with pytest.raises(UnitError, match=r"not known|does not convert"):
        convert(analyte, Decimal(1), from_unit, to_unit)


def convertible() -> list[tuple[str, str, str]]:
    found = []
    for name, row in analytes().items():
        for first, second in product(row.units, repeat=2):
            try:
                convert(name, Decimal(1), first, second)
            except UnitError:
                continue
            found.append((name, first, second))
    return found


@given(pair=st.sampled_from(convertible()), value=st.decimals("0.001", "9999", places=3))
def test_there_and_back_is_the_same_value(pair: tuple[str, str, str], value: Decimal) -> None:
    analyte, first, second = pair
    back = convert(analyte, convert(analyte, value, first, second), second, first)
    assert abs(back - value) <= value * Decimal("1e-24")
    if units()[first].dimension == units()[second].dimension:
        assert back == value


@pytest.fixture(scope="module")
def oracle() -> ucumvert.PintUcumRegistry:
    return ucumvert.PintUcumRegistry()


def test_every_unit_is_ucum_and_has_the_size_that_an_independent_reader_finds(
    oracle: ucumvert.PintUcumRegistry,
) -> None:
    compared = 0
    for first, one in units().items():
        theirs = oracle.from_ucum(first)
        for second, other in units().items():
            if one.dimension == other.dimension and one.dimension != "intake":
                factor = (theirs / oracle.from_ucum(second)).to("").magnitude
                assert factor == pytest.approx(float(one.per / other.per), rel=1e-9), (first, second)
                compared += 1
    assert compared > 100


def test_no_spelling_stands_for_two_units() -> None:
    for code, unit in units().items():
        for spelling in (code, *unit.spellings):
            assert unit_code(spelling) == code, spelling


def test_the_bounds_of_one_analyte_overlap_between_its_units() -> None:
    for name, first, second in convertible():
        low, high = (convert(name, end, first, second) for end in analytes()[name].units[first])
        other_low, other_high = analytes()[name].units[second]
        assert low < other_high, (name, first, second)
        assert high > other_low, (name, first, second)
