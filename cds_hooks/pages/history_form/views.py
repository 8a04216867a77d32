"""The form, made from the Questionnaire that the rules publish."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.knowledge_pages.fhir_vocabulary import questionnaire
from cds_hooks.pages.pages import Pages
from cds_hooks.pages.rendering import render


def index(request: Request, pages: Pages) -> Response:
    """Answers stay in the browser: they become a QuestionnaireResponse there, to download, copy or try out."""
    made = questionnaire(pages.knowledge)
    questions = pages.knowledge.questions
    items = [(item, questions[item["linkId"]].why) for item in made["item"]]
    return render(
        "history-form.html",
        request,
        pages,
        canonical=f"{made['url']}|{made['version']}",
        title=made["title"],
        core=[pair for pair in items if questions[pair[0]["linkId"]].core],
        findings=[pair for pair in items if not questions[pair[0]["linkId"]].core],
        playground=any(area.name == "playground" for area in pages.areas),
    )
