"""The part of the settings that says which pages there are, and for whom (`pages:` in the settings file)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict

from cds_hooks.trust.settings import Operator

NAMES = ("playground", "history_form", "dashboard")


class PagesSettings(BaseModel):
    """Which pages are served. The knowledge pages always are: they are public, and cards link to them.

    Not stated is `default`: with `trust: off` all of them; with `trust: required` the dashboard alone, behind its
    sign-in: the playground sends calls, and the history form is for people without a key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    playground: bool | None = None
    """`/`: try the service on examples or on a record of one's own."""
    history_form: bool | None = None
    """`/history-form`: the five questions, for a clinician or a patient."""
    dashboard: bool | None = None
    """`/dashboard`: how often cards fire, are accepted, and why they are overridden."""
    operators: tuple[Operator, ...] = ()
    """Who may sign in to the pages that are not public, with `trust: required`."""

    def filled(self, *, trusted: bool) -> Self:
        """What is not stated, stated. `trusted`: callers need a token."""
        defaults = {"playground": not trusted, "history_form": not trusted, "dashboard": True}
        unsaid = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return self.model_copy(update=unsaid)

    def served(self, name: str) -> bool:
        """Whether this page is served; ask after `filled`."""
        return bool(getattr(self, name, True))


def _short(value: object) -> object:
    """`pages: off` and `pages: on` for all of them; YAML reads both as booleans."""
    words: dict[Any, bool] = {"off": False, "on": True, "false": False, "true": True}
    said = words.get(value.lower()) if isinstance(value, str) else value
    if isinstance(value, str) and said is None:
        raise ValueError("write `on`, `off`, or which pages, as in `{dashboard: on}`")
    return dict.fromkeys(NAMES, said) if isinstance(said, bool) else value


PagesSection = Annotated[PagesSettings, BeforeValidator(_short)]
