"""What an EHR makes of a card: format and length of `detail`, actions per suggestion, what is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Format = Literal["markdown", "html", "plain"]
CONTENT_TYPE = "com.epic.cdshooks.card.detail.content-type"
"""Epic's extension of a card that names the format of its `detail`."""
MEDIA_TYPES: dict[Format, str] = {"html": "text/html", "plain": "text/plain"}
"""Markdown is what Epic expects without it."""
DISPENSABLE = ("not_again", "considered", "unanswered", "gate", "not_provided")
"""Paragraphs that a short card does without, the first to go first. What could not be used is none of them."""


@dataclass(frozen=True, slots=True)
class CardShape:
    """As CDS Hooks 2.0 has it, unless a site profile says otherwise."""

    selection_behavior: bool = True
    one_action: bool = True
    """One action per suggestion; false: all requests of one test in one suggestion."""
    detail: Format = "markdown"
    content_type: bool = False
    plain_topics: bool = False
    """Topic codes of letters and digits only."""
    max_detail: int | None = None

    @property
    def extension(self) -> dict[str, str]:
        """What a card carries besides; empty unless the EHR asks for it."""
        named = self.content_type and self.detail in MEDIA_TYPES
        return {CONTENT_TYPE: MEDIA_TYPES[self.detail]} if named else {}

    def write(self, paragraphs: Sequence[str], say: Callable[..., str]) -> str:
        """The paragraphs in Markdown as the `detail` of a card; `say` knows the sentences of the cards."""
        text = "\n\n".join(paragraphs)
        written = self._rendered(text)
        if self.max_detail is None or len(written) <= self.max_detail:
            return written
        return self._shortened(text.split("\n\n"), self.max_detail, say)

    def _rendered(self, text: str) -> str:
        if self.detail == "markdown":
            return text
        from cds_hooks.markdown_formats import as_html, as_plain  # noqa: PLC0415 - few sites need the library

        return as_html(text) if self.detail == "html" else as_plain(text)

    def _shortened(self, paragraphs: list[str], most: int, say: Callable[..., str]) -> str:
        """Less and less of it until it fits: what went is named, and whose rules these are stays."""
        ends = paragraphs[-1].startswith("*") and not paragraphs[-1].startswith("**")
        body, footer = (paragraphs[:-1], paragraphs[-1]) if ends else (paragraphs, "")
        unusable = f"**{say('gaps')}:**"
        gone: list[str] = []

        def told() -> str:
            notice = f"**{say('shortened', titles='; '.join(gone))}**" if gone else ""
            return self._rendered("\n\n".join(part for part in (*body, notice, footer) if part))

        for name in DISPENSABLE:
            heading = f"**{say(name)}:**"
            if any(part.startswith(heading) for part in body):
                body = [part for part in body if not part.startswith(heading)]
                gone.append(say(name))
                if len(written := told()) <= most:
                    return written
        gone.append(say("shortened_lines"))
        while body and "\n" in body[0]:
            body[0] = body[0].rpartition("\n")[0].rstrip()
            if len(written := told()) <= most:
                return written
        while (spare := len(told()) - most) > 0 and body:
            longest = max(
                range(len(body)), key=lambda index: (not body[index].startswith(unusable), len(body[index]))
            )
            kept = body[longest][: max(0, len(body[longest]) - spare - 1)].rpartition(" ")[0].rstrip("\\ *")
            body[longest] = f"{kept}…" if kept else ""
            body = [part for part in body if part]
        return told()


AS_SPECIFIED = CardShape()
