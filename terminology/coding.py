"""Code systems under their many names, and the check digits that tell a code from a number."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
ATC = "http://www.whocc.no/atc"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_NATIONAL = "http://hl7.org/fhir/sid/icd-10-national"
"""Stands for every national modification of WHO's ICD-10 but the American one; no URI of anybody's."""
UCUM = "http://unitsofmeasure.org"
HPO = "http://human-phenotype-ontology.org"

# https://terminology.hl7.org/external_terminologies.html lists the URIs and OIDs; the rest are spellings
# met in public records. Keys have no scheme, no `www.`, no version, no slash at the end and no capitals.
_ALIASES = {
    "loinc.org": LOINC,
    "2.16.840.1.113883.6.1": LOINC,
    "snomed.info/sct": SNOMED_CT,
    "2.16.840.1.113883.6.96": SNOMED_CT,
    "nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "2.16.840.1.113883.6.88": RXNORM,
    "hl7.org/fhir/sid/ndc": NDC,
    "2.16.840.1.113883.6.69": NDC,
    "whocc.no/atc": ATC,
    "fhir.de/codesystem/bfarm/atc": ATC,
    "fhir.de/codesystem/dimdi/atc": ATC,
    "2.16.840.1.113883.6.73": ATC,
    "hl7.org/fhir/sid/icd-10-cm": ICD_10_CM,
    "hl7.org/fhir/sid/icd-10-us": ICD_10_CM,
    "2.16.840.1.113883.6.90": ICD_10_CM,
    "hl7.org/fhir/sid/icd-10": ICD_10,
    "2.16.840.1.113883.6.3": ICD_10,
    # National editions keep the meaning of WHO's codes and divide some further: Germany, Netherlands, Australia.
    "fhir.de/codesystem/bfarm/icd-10-gm": ICD_10_NATIONAL,
    "fhir.de/codesystem/dimdi/icd-10-gm": ICD_10_NATIONAL,
    "hl7.org/fhir/sid/icd-10-gm": ICD_10_NATIONAL,
    "hl7.org/fhir/sid/icd-10-de": ICD_10_NATIONAL,
    "hl7.org/fhir/sid/icd-10-nl": ICD_10_NATIONAL,
    "hl7.org/fhir/sid/icd-10-am": ICD_10_NATIONAL,
    "unitsofmeasure.org": UCUM,
    "2.16.840.1.113883.6.8": UCUM,
    "human-phenotype-ontology.org": HPO,
    "human-phenotype-ontology.github.io": HPO,
    "purl.obolibrary.org/obo/hp.owl": HPO,
    "purl.obolibrary.org/obo/hp.fhir": HPO,
    "purl.obolibrary.org/obo/hp": HPO,
    "2.16.840.1.113883.6.339": HPO,
}
_LONGEST_URI = 200  # longer ones are no code system, and would fill the cache
_PREFIX = re.compile(r"^(?:https?://|urn:oid:)?(?:www\.)?")
_LOINC_CODE = re.compile(r"[1-9]\d{0,6}-\d")
_SCTID = re.compile(r"[1-9]\d{5,17}")


class CodingLike(Protocol):
    """What is read of a FHIR Coding, whoever decoded it."""

    @property
    def system(self) -> str | None: ...
    @property
    def code(self) -> str | None: ...
    @property
    def display(self) -> str | None: ...


def canonical_system(uri: str | None) -> str:
    """The constant of this module that `uri` stands for; an unknown one comes back as it is, None as "".

    Blanks around it, letter case, http or https, `www.`, a slash or a version (`|2024`) at the end, OIDs with
    and without `urn:oid:` and the versioned URIs of SNOMED CT editions do not matter.
    """
    if uri is None:
        return ""
    return _canonical(uri) if len(uri) <= _LONGEST_URI else uri


@lru_cache(maxsize=1024)
def _canonical(uri: str) -> str:
    key = _PREFIX.sub("", uri.strip().lower().partition("|")[0]).rstrip("/")
    return SNOMED_CT if key.startswith("snomed.info/sct/") else _ALIASES.get(key, uri)


def loinc_check_digit_ok(code: str) -> bool:
    """Whether `code` has the shape and the mod-10 check digit of a LOINC code.

    Vendors send local numbers under LOINC's URI; the digit tells most of them. LOINC Users' Guide, appendix
    "Calculating mod 10 check digits": the odd places from the right, taken as one number and doubled.
    """
    if not _LOINC_CODE.fullmatch(code):
        return False
    number, _, digit = code.partition("-")
    total = sum(int(place) for place in number[-2::-2])
    total += sum(int(place) for place in str(2 * int(number[::-2][::-1])))
    return (10 - total % 10) % 10 == int(digit)


# Verhoeff's tables (dihedral group of order 10 and its permutations), as in SNOMED CT Release File
# Specifications, "Check-digit".
_DIHEDRAL = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTATIONS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


def snomed_check_digit_ok(code: str) -> bool:
    """Whether `code` has the shape and the Verhoeff check digit of a SNOMED CT identifier (6 to 18 digits)."""
    if not _SCTID.fullmatch(code):
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _DIHEDRAL[check][_PERMUTATIONS[place % 8][int(digit)]]
    return check == 0
