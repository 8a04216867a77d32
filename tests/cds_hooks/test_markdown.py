"""Text of a record must not become mark-up, whatever renders the card."""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_hooks.markdown import JOINER, LONGEST, escape, plain, shorten

MARKUP = MarkdownIt("gfm-like", {"html": True, "linkify": False})
ATTACKS = [
    "[click](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td><b>bold</b>",
    "<!-- hidden -->",
    "<https://evil.example>",
    "https://evil.example/phish",
    "HTTP://evil.example",
    "www.evil.example",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "doctor@evil.example",
    "javascript:alert(1)",
    "**bold** __bold__ *it* _it_ ~~gone~~",
    "`code` ```block```",
    "a | b | c",
    "text\n# heading",
    "text\r\n\r\n- item",
    "text\n\n    code",
    "text\n> quote",
    "text\n---",
    "text\n1. item",
    "[ref]\n\n[ref]: https://evil.example",
    "[^1]",
    "&lt;script&gt; &#60;b&#62;",
    "\\[escaped\\](x)",
    "line\N{LINE SEPARATOR}# heading",
    "safe\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "\N{FULLWIDTH LESS-THAN SIGN}script\N{FULLWIDTH GREATER-THAN SIGN}",
    "tab\tbell\a escape\x1b[31mred",
    "- [ ] task",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_stays_text(attack: str) -> None:
    tokens = MARKUP.parse(f"- **Title**: {escape(attack)}.")
    kinds = {token.type for token in tokens} | {
        child.type for token in tokens for child in token.children or ()
    }
    assert kinds == {
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
        "inline",
        "text",
        "strong_open",
        "strong_close",
        "paragraph_close",
        "list_item_close",
        "bullet_list_close",
    } | (kinds & {"text_special"})


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("clean", [plain, escape])
def test_no_address_and_no_element_survives(attack: str, clean: Callable[[str], str]) -> None:
    cleaned = clean(attack).lower()
    for piece in (
        "://",
        "www.",
        "@e",
        "mailto:a",
        "<s",
        "<i",
        "</",
        "<!",
        "<h",
        "\n",
        "\r",
        "\x1b",
        "\N{RIGHT-TO-LEFT OVERRIDE}",
    ):
        assert piece not in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "# x",
        "- x",
        "+ x",
        "> x",
        "1. x",
        "12) x",
        "* x",
        "_ x",
        "---",
        "===",
        "```",
        "    x",
        "| a | b |",
        "2.8 x",
    ],
)
def test_nothing_at_the_start_of_a_line_begins_a_block(text: str) -> None:
    tokens = MARKUP.parse(f"paragraph\n\n{escape(text)}")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"] * 2


def test_results_stay_readable() -> None:
    assert escape("potassium <2.8 mmol/L (2026-02-25); lower limit 3.5") == (
        "potassium <2.8 mmol/L (2026-02-25); lower limit 3.5"
    )
    assert escape("2.8 mmol/L, Turner & Talbot 2013 #1") == "2.8 mmol/L, Turner & Talbot 2013 #1"
    assert escape("TSH 12 m[IU]/L") == r"TSH 12 m\[IU\]/L"
    assert (
        plain("TSH 12 m[IU]/L, 25-OH-D 40 nmol/L, µg, Å, größer")
        == "TSH 12 m[IU]/L, 25-OH-D 40 nmol/L, µg, Å, größer"
    )


@pytest.mark.parametrize(
    ("text", "longest", "short"),
    [
        ("short", 10, "short"),
        ("ten chars!", 10, "ten chars!"),
        ("cut at the last word", 12, "cut at the…"),
        ("unbreakable-word", 8, "unbreak…"),
        ("drop the comma, then", 16, "drop the comma…"),
    ],
)
def test_shortening_keeps_words(text: str, longest: int, short: str) -> None:
    assert shorten(text, longest) == short


@given(st.text(max_size=500))
def test_any_text_becomes_one_line_without_control_characters(text: str) -> None:
    for line in (plain(text), escape(text)):
        assert {category(c) for c in line.replace(JOINER, "")} & {
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Cn",
            "Zl",
            "Zp",
        } == set()


@given(st.text(alphabet=":/.@wW abc", max_size=500))
def test_the_length_is_bounded_but_for_invisible_joiners(text: str) -> None:
    assert len(plain(text).replace(JOINER, "")) <= LONGEST
