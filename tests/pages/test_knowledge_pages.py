"""The knowledge pages: everything has one, everything on them resolves, and the search needs no script."""

from __future__ import annotations

import html
import io
import itertools
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from cds_hooks.knowledge_pages.fhir_export import artifacts
from cds_hooks.knowledge_pages.pages import known_ids, pages_of
from cds_hooks.services import SERVICES
from mappings.knowledge import load_knowledge

LINK = re.compile(r'(?:href|action)="([^"]+)"')
ADDRESS = re.compile(r"https?://[^\s)\]>\"]+")
CARDS = ("low-potassium-on-a-thiazide", "weakness-and-wasting", "a-child", "nothing-measured-yet")


def plain(page: str) -> str:
    """The letters of a page, without tags, blanks, quotation marks and colons."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    return re.sub(r"[\s“”:]", "", text).casefold()


@pytest.mark.parametrize("letters", ["a-c", "d", "e-l", "m-r", "s-z", "A-Z"])
def test_every_rule_test_limit_and_source_has_a_page_that_leaves_nothing_out(
    http: httpx2.Client, letters: str
) -> None:
    knowledge = load_knowledge()
    names = [name for name in known_ids(knowledge) if re.match(f"[{letters}]", name)]
    assert names
    for name in names:
        answer = http.get(f"/knowledge/{name}")
        assert answer.status_code == 200, name
        shown = plain(answer.text)
        for page in pages_of(name, knowledge):
            for section in page.sections:
                for text in (section.heading, *section.lines):
                    for part in (getattr(text, "text", text), getattr(text, "says", "")):
                        assert plain(part) in shown, (name, part)


def test_no_id_was_left_out_of_the_letters() -> None:
    assert all(re.match("[a-zA-Z]", name) for name in known_ids(load_knowledge()))


def test_every_link_on_every_page_resolves(http: httpx2.Client) -> None:
    seen, waiting, outside = set(), ["/knowledge"], set()
    while waiting:
        path = waiting.pop()
        answer = http.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        for link in map(html.unescape, LINK.findall(answer.text)):
            target = link.partition("#")[0]
            if target.startswith("http"):
                outside.add(target)
            elif target.startswith("/knowledge") and target not in seen and "/artifacts/" not in target:
                seen.add(target)
                waiting.append(target)
    assert len(seen) > len(known_ids(load_knowledge()))
    assert all(re.fullmatch(r"https?://[\w.-]+(/\S*)?", address) for address in outside)


def test_every_link_on_a_card_resolves(start: Any, root: Path) -> None:
    base = "https://cds.example"
    found = set()
    with start(base_url=base) as running:
        for name, service in itertools.product(CARDS, SERVICES[:2]):
            body = json.loads((root / "examples" / name / "request.json").read_text())
            answer = running.http.post(f"/cds-services/{service.id}", json=body | {"hook": service.hook})
            cards = answer.json().get("cards", [])
            found |= {
                url for card in cards for url in ADDRESS.findall(json.dumps(card)) if url.startswith(base)
            }
        assert found
        for url in found:
            assert running.http.get(url.removeprefix(base)).status_code == 200, url


def test_the_thirteen_source_attributes_are_shown(http: httpx2.Client) -> None:
    shown = plain(http.get("/knowledge/source-attributes").text)
    attributes = load_knowledge().publication.attributes
    assert [item.number for item in attributes] == list(range(1, 14))
    assert [item.name for item in attributes if plain(f"{item.number}. {item.name}") not in shown] == []


def test_the_artifacts_are_those_that_were_checked(http: httpx2.Client) -> None:
    checked = {f"{one['resourceType']}-{one['id']}.json": one for one in artifacts(load_knowledge())}
    archive = http.get("/knowledge/artifacts/all.zip")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as folder:
        assert {name: json.loads(folder.read(name)) for name in folder.namelist()} == checked
    listed = http.get("/knowledge/artifacts").text
    assert [name for name in checked if f"/knowledge/artifacts/{name}" not in listed] == []
    one = http.get("/knowledge/artifacts/PlanDefinition-twitching.json")
    assert one.headers["content-type"] == "application/fhir+json"
    assert one.json() == checked["PlanDefinition-twitching.json"]
    assert http.get("/knowledge/artifacts/none.json").status_code == 404


def test_the_change_log_opens_with_the_clinical_effects(http: httpx2.Client, root: Path) -> None:
    shown = plain(http.get("/knowledge/changes").text)
    log = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"### Clinical effects\n\n- (.+)\n", log)
    assert first
    assert shown.index("clinicaleffects") < shown.index(plain(first[1])) < shown.index("added")


def test_the_change_log_shows_its_code_and_links_without_markdown(http: httpx2.Client) -> None:
    page = http.get("/knowledge/changes").text
    assert "<code>twitching-cds doctor</code> examines" in page
    assert "A site profile in one checked file" in page
    assert "`" not in page


def test_the_page_of_a_source_names_remarks_and_specimens_that_cite_it(http: httpx2.Client) -> None:
    rules = load_knowledge()
    for rule in (*rules.notes.values(), *rules.spurious.values()):
        page = http.get(f"/knowledge/{rule.references[0]}").text
        assert f'/knowledge/{rule.id}"' in page


@pytest.mark.parametrize("scripts", [True, False])
def test_the_search_finds_by_every_word(visit: Any, scripts: bool) -> None:
    page: Page = visit("/knowledge", scripts=scripts)
    page.get_by_label("Search rules").fill("THIAZIDE potassium")
    page.keyboard.press("Enter")
    page.wait_for_url("**/knowledge?q=**")
    expect(page.get_by_role("link", name="Thiazide or thiazide-like diuretic")).to_be_visible()
    expect(page.get_by_role("link", name="Low potassium")).to_be_visible()
    expect(page.get_by_role("link", name="Low magnesium")).to_have_count(0)
    expect(page.get_by_label("Search rules")).to_have_value("THIAZIDE potassium")


def test_a_search_for_nothing_that_is_there_says_how_to_go_on(visit: Any) -> None:
    page: Page = visit("/knowledge?q=" + "%3Cb%3E" * 3)
    expect(page.get_by_role("status")).to_contain_text("0 pages have all of these words: “<b><b><b>”.")


def test_an_unknown_id_names_what_comes_close(visit: Any, assert_accessible: Callable[[Page], None]) -> None:
    visit.expect("404")
    page: Page = visit("/knowledge/hypokalemia")
    assert page.request.get("/knowledge/hypokalemia").status == 404
    expect(page.get_by_role("link", name="Low potassium")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize(
    "path",
    ["", "/potassium", "/source-attributes", "/changes"],
)
def test_the_pages_are_accessible(
    visit: Any, assert_accessible: Callable[[Page], None], picture: Any, path: str
) -> None:
    page = visit(f"/knowledge{path}")
    if path in ("", "/potassium"):
        picture(page, f"knowledge{path.replace('/', '-')}")
    page.evaluate("document.querySelectorAll('.entries li:nth-child(n+4)').forEach(one => one.remove())")
    assert_accessible(page)  # of a long list the first entries stand for the others, which would take long


def test_from_a_result_to_its_rule_by_keyboard(visit: Any) -> None:
    page: Page = visit("/knowledge/potassium")
    page.get_by_role("link", name="Low potassium").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Low potassium")
    expect(page.get_by_text("not yet reviewed by a clinician").first).to_be_visible()
