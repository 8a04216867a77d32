"""Feedback calls: what real clients send is read, what is malformed is refused by the name of its field."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.errors import Refused
from cds_hooks.feedback.message import EPIC_CATEGORY, Outcome, Reason, read_feedback

HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
CANARY = "canary-7f3a"
Item = Callable[..., dict[str, Any]]
Body = Callable[..., bytes]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def refused(body: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read_feedback(body)
    assert caught.value.status == 400
    return caught.value


class TestRead:
    def test_154_155_156_157_158_160_161_162_accepted(self, item: Item, body: Body) -> None:
        sent = item(card="c-1", outcome="accepted", acceptedSuggestions=[{"id": "s-1"}, {"id": "s-2"}])
        at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
        assert read_feedback(body(sent)) == (Outcome("c-1", "accepted", at, ("s-1", "s-2"), Reason(), False),)

    def test_159_165_166_overridden_with_a_reason_and_a_comment(self, item: Item, body: Body) -> None:
        told = {
            "reason": {"code": "wrong-time-workflow", "system": HL7, "display": "x"},
            "userComment": CANARY,
        }
        (outcome,) = read_feedback(body(item(overrideReason=told)))
        assert (outcome.outcome, outcome.reason) == ("overridden", Reason(HL7, "wrong-time-workflow"))
        assert outcome.commented
        assert CANARY not in repr(outcome)

    def test_the_sandbox_sends_a_reason_without_display(self, item: Item, body: Body) -> None:
        told = {"reason": {"code": "goals-of-care", "system": "urn:twitching-cds:override-reason"}}
        (outcome,) = read_feedback(body(item(overrideReason=told)))
        assert outcome.reason == Reason("urn:twitching-cds:override-reason", "goals-of-care")
        assert not outcome.commented

    def test_epic_names_it_overridereasons(self, item: Item, body: Body) -> None:
        told = {
            "reason": {"code": "contraindicated", "display": "bad", "system": "http: //example.org/reasons"},
            "userComment": CANARY,
        }
        sent = item(card="123456", overrideReasons=told)
        (outcome,) = read_feedback(body(sent))
        assert (outcome.card, outcome.reason) == ("123456", Reason("", "contraindicated"))
        assert outcome.commented

    @pytest.mark.parametrize("category", ["45", 45], ids=["text", "number"])
    def test_epic_puts_reasons_of_its_own_into_an_extension(
        self, item: Item, body: Body, category: object
    ) -> None:
        prefix = EPIC_CATEGORY.removesuffix("Category")
        told = {
            "extension": {
                EPIC_CATEGORY: category,
                f"{prefix}Display": "Does not meet criteria",
                f"{prefix}Title": CANARY,
            },
            "userComment": CANARY,
        }
        (outcome,) = read_feedback(body(item(overrideReasons=told)))
        assert outcome.reason == Reason(EPIC_CATEGORY, "45")
        assert CANARY not in repr(outcome)

    @pytest.mark.parametrize(
        "told",
        [
            {"overrideReason": {"code": "policy-contradicts", "system": HL7, "display": CANARY}},
            {"overrideReasons": {"code": "policy-contradicts", "system": HL7}},
            {"overrideReasons": [{"code": "policy-contradicts", "system": HL7, "display": CANARY}]},
            {"overrideReason": {"reason": {"coding": [{"code": "policy-contradicts", "system": HL7}]}}},
            {"overrideReason": {"reason": {"coding": [{}, {"code": "policy-contradicts", "system": HL7}]}}},
        ],
    )
    def test_a_reason_is_understood_as_the_card_offered_it_or_as_a_concept(
        self, item: Item, body: Body, told: dict[str, Any]
    ) -> None:
        (outcome,) = read_feedback(body(item(**told)))
        assert outcome.reason == Reason(HL7, "policy-contradicts")
        assert CANARY not in repr(outcome)

    def test_several_reasons_are_read_up_to_the_first_that_is_one(self, item: Item, body: Body) -> None:
        told = [
            {"userComment": "x"},
            {"reason": {"code": "policy-contradicts", "system": HL7}},
            {"reason": {"code": "b", "system": HL7}},
        ]
        (outcome,) = read_feedback(body(item(overrideReasons=told)))
        assert outcome.reason == Reason(HL7, "policy-contradicts")
        assert outcome.commented

    @pytest.mark.parametrize(
        "told",
        [
            {"overrideReason": None},
            {"overrideReason": {}},
            {"overrideReason": {"reason": None, "userComment": None}},
            {"overrideReason": {"reason": {}}},
            {"overrideReason": {"reason": {"code": None}}},
            {"overrideReason": {"userComment": ""}},
            {"overrideReason": {"reason": {"code": "seen by Dr Foster", "system": HL7}}},
            {"overrideReason": {"reason": {"code": "x" * 65, "system": HL7}}},
            {"overrideReasons": []},
            {"overrideReasons": {"extension": []}},
            {"overrideReasons": {"extension": {"other": "45"}}},
            {"overrideReasons": {"extension": {EPIC_CATEGORY: "see the note of 1 March"}}},
            {"overrideReasons": {"extension": {EPIC_CATEGORY: ["45"]}}},
            {"acceptedSuggestions": None},
            {"acceptedSuggestions": [{"id": "s-1"}]},
            {"extension": {"x": 1}, "somethingElse": [None]},
        ],
    )
    def test_without_a_reason_that_is_a_code_there_is_none(
        self, item: Item, body: Body, told: dict[str, Any]
    ) -> None:
        (outcome,) = read_feedback(body(item(**told)))
        assert (outcome.reason, outcome.commented, outcome.suggestions) == (Reason(), False, ())

    @pytest.mark.parametrize(
        "time",
        [
            "2026-03-01T09:30:00.000Z",
            "2026-03-01T10:30:00+01:00",
            "2026-03-01t09:30:00z",
            "2026-02-28T23:30:00-10:00",
        ],
    )
    def test_161_times_are_read_with_any_zone(self, item: Item, body: Body, time: str) -> None:
        (outcome,) = read_feedback(body(item(outcomeTimestamp=time)))
        assert outcome.at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

    def test_a_batch_is_read_in_its_order(self, item: Item, body: Body) -> None:
        cards = [f"c-{number}" for number in range(1000)]
        assert [one.card for one in read_feedback(body(*(item(card=card) for card in cards)))] == cards

    def test_an_empty_batch_says_nothing(self, body: Body) -> None:
        assert read_feedback(body()) == ()


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"card": ...}, "feedback[1].card"),
            ({"card": ""}, "feedback[1].card"),
            ({"card": None}, "feedback[1].card"),
            ({"card": 7}, "feedback[1].card"),
            ({"card": "x" * 501}, "feedback[1].card"),
            ({"outcome": ...}, "feedback[1].outcome"),
            ({"outcome": CANARY}, "feedback[1].outcome"),
            ({"outcome": "Accepted"}, "feedback[1].outcome"),
            ({"outcome": True}, "feedback[1].outcome"),
            ({"outcomeTimestamp": ...}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": None}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": "yesterday"}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": "2026-03-01"}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": "2026-03-01T09:30:00"}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": "2026-02-30T09:30:00Z"}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": "0001-01-01T00:00:00+05:00"}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": "9999-12-31T23:59:59-05:00"}, "feedback[1].outcomeTimestamp"),
            ({"outcomeTimestamp": 1772357400}, "feedback[1].outcomeTimestamp"),
            ({"outcome": "accepted"}, "feedback[1].acceptedSuggestions"),
            ({"outcome": "accepted", "acceptedSuggestions": []}, "feedback[1].acceptedSuggestions"),
            ({"outcome": "accepted", "acceptedSuggestions": None}, "feedback[1].acceptedSuggestions"),
            ({"outcome": "accepted", "acceptedSuggestions": {}}, "feedback[1].acceptedSuggestions"),
            ({"outcome": "accepted", "acceptedSuggestions": ["s"]}, "feedback[1].acceptedSuggestions[0]"),
            ({"outcome": "accepted", "acceptedSuggestions": [{}]}, "feedback[1].acceptedSuggestions[0].id"),
            (
                {"outcome": "accepted", "acceptedSuggestions": [{"id": "s"}, {"id": 1}]},
                "feedback[1].acceptedSuggestions[1].id",
            ),
            ({"overrideReason": CANARY}, "feedback[1].overrideReason"),
            ({"overrideReason": [{}]}, "feedback[1].overrideReason"),
            ({"overrideReason": {"reason": CANARY}}, "feedback[1].overrideReason.reason"),
            ({"overrideReason": {"reason": {"code": 1}}}, "feedback[1].overrideReason.reason.code"),
            ({"overrideReason": {"reason": {"system": []}}}, "feedback[1].overrideReason.reason.system"),
            ({"overrideReasons": CANARY}, "feedback[1].overrideReasons"),
            ({"overrideReasons": [CANARY]}, "feedback[1].overrideReasons[0]"),
            ({"overrideReasons": {"reason": 1}}, "feedback[1].overrideReasons.reason"),
        ],
    )
    def test_the_field_is_named_and_the_value_is_not(
        self, item: Item, body: Body, changed: dict[str, Any], field: str
    ) -> None:
        (problem,) = refused(body(item(), item(**changed))).issues
        assert problem.expression == (field,)
        assert problem.diagnostics.startswith(f"`{field}` ")
        assert "must be" in problem.diagnostics
        assert CANARY not in problem.diagnostics

    @pytest.mark.parametrize(
        ("sent", "says"),
        [
            (b"", "is empty; it must be a JSON object"),
            (b"{", "not valid JSON"),
            (b"null", "a JSON object with the array `feedback`"),
            (b"[]", "a JSON object with the array `feedback`"),
            (b"{}", "`feedback` is missing"),
            (b'{"feedback":{}}', "`feedback` must be an array"),
            (b'{"feedback":null}', "`feedback` must be an array"),
            (b'{"feedback":[null]}', "`feedback[0]` must be an object"),
            (b'{"feedback":[NaN]}', "not valid JSON"),
            (b'{"feedback":[],"x":"\xff"}', "not valid UTF-8"),
            (b'{"feedback":[{"card":"\\ud800"}]}', "not valid JSON"),
            (b'{"feedback":[],"x":1e999}', "too large"),
            (b'{"feedback":[],"x":' + b"9" * 5000 + b"}", "too large"),
            (b'{"feedback":[],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
            (b'{"feedback":[],"feedback":[]}', "`feedback` appears more than once"),
            (b'{"feedback":[],"canary-7f3a":1,"canary-7f3a":1}', "A member appears more than once"),
            (b'{"feedback":[],"x":[{"outcome":1,"outcome":1}]}', "`outcome` appears more than once"),
        ],
    )
    def test_what_is_no_feedback_at_all(self, sent: bytes, says: str) -> None:
        (problem,) = refused(sent).issues
        assert says in problem.diagnostics
        assert CANARY not in problem.diagnostics

    @given(st.data())
    def test_any_json_is_read_or_refused(self, data: st.DataObject) -> None:
        names = (
            "card",
            "outcome",
            "outcomeTimestamp",
            "acceptedSuggestions",
            "overrideReason",
            "overrideReasons",
        )
        valid = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:30:00Z"}
        name = data.draw(st.sampled_from(names))
        sent = {"feedback": [valid | {name: data.draw(JSON)}]}
        with suppress(Refused):
            (outcome,) = read_feedback(json.dumps(sent).encode())
            assert outcome.outcome in ("accepted", "overridden")
