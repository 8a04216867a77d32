/* The cards as an EHR draws them, with what the user does about them. */

import { markdown } from "./markdown.js";
import { counted, dated, html, icon } from "./ui.js";

export const WORDS = { info: "Information", warning: "Warning", critical: "Critical" };
const SILENT = {
  "twitching-not-documented": "twitching is not documented in this record",
  deceased: "the patient has died",
  "nothing-to-add": "there is nothing to add to what is ordered already",
  "mimic-only": "only a condition that looks like twitching is documented",
  "known-mnd": "a motor neurone disease is known",
  "mode-silent": "the service is set to be silent",
};

export function cardsView(state, actions) {
  const { answer } = state;
  return html`<section class="ehr stack" aria-labelledby="cards-title" aria-busy=${state.waiting}>
    <div class="row apart">
      <h2 id="cards-title">Cards</h2>
      <p class="row soft fine numeric">${answer && timing(answer)}<button type="button" class="quiet small" onClick=${actions.again}>Ask again</button></p>
    </div>
    ${answer && inside(state, actions)}
  </section>`;
}

function timing({ cards, milliseconds }) {
  const number = cards.ok ? `${counted(cards.content.cards.length, "card", "cards")} · ` : "";
  return `${number}HTTP ${cards.status} · ${Math.max(1, Math.round(milliseconds))} ms`;
}

function inside(state, actions) {
  const { cards, explanation } = state.answer;
  if (!cards.ok) return refusal(cards);
  if (!cards.content.cards.length) {
    return html`<div class="notice no-cards stack tight">
      <p><strong>No card.</strong> The EHR shows nothing, because ${SILENT[explanation?.silentReason] ?? "the service has nothing to say"}.</p>
      ${explanation?.silentReason === "twitching-not-documented" && html`<p><button type="button" class="small" onClick=${actions.document}>Add fasciculation to the problems</button></p>`}
    </div>`;
  }
  return cards.content.cards.map((card) => html`<${Card} key=${card.uuid} card=${card} done=${state.done[card.uuid] ?? {}} actions=${actions} />`);
}

/* An error is shown as one: never as an empty list. */
export function refusal({ status, content }) {
  const issues = Array.isArray(content.issue) ? content.issue : [];
  return html`<div class="notice critical stack tight refusal" role="alert">
    <p><strong>The service refused the call (HTTP ${status}).</strong> An EHR shows an error here, never “no advice”.</p>
    ${status === 401 && html`<p>It answers clients with a token only, and the playground has none.</p>`}
    <ul>
      ${issues.map((one) => html`<li>${one.diagnostics ?? one.details?.text ?? one.code}${" "}${one.expression && html`<code>${one.expression.join(", ")}</code>`}</li>`)}
    </ul>
  </div>`;
}

function Card({ card, done, actions }) {
  const title = `card-${card.uuid}`;
  if (done.overridden) {
    return html`<article class="card settled ${card.indicator}" aria-labelledby=${title}>
      <h3 class="card-summary" id=${title} tabindex="-1">${dated(card.summary)}</h3>
      <p class="fine"><span class="badge">Overridden</span> ${done.overridden}. The service has been told.</p>
    </article>`;
  }
  return html`<article class="card ${card.indicator}" aria-labelledby=${title}>
    <p><span class="badge ${card.indicator}">${icon(card.indicator)}${WORDS[card.indicator]}</span></p>
    <h3 class="card-summary" id=${title}>${dated(card.summary)}</h3>
    ${card.suggestions && html`<ul class="suggestions">${card.suggestions.map((one) => suggestion(card, one, done, actions))}</ul>`}
    ${card.detail && html`<div class="card-detail">${markdown(card.detail)}</div>`}
    ${card.links && html`<p class="row">${card.links.map((link) => html`<a class="button small" href=${link.url}>${link.label}</a>`)}</p>`}
    <footer class="card-foot">
      <p class="card-source">${card.source.url ? html`<a href=${card.source.url}>${card.source.label}</a>` : card.source.label}</p>
      ${override(card, done, actions)}
    </footer>
    ${done.error && html`<p class="error" role="alert">${done.error}</p>`}
  </article>`;
}

function suggestion(card, one, done, actions) {
  const taken = done.accepted?.includes(one.uuid);
  return html`<li key=${one.uuid}>
    <p class="suggestion-label" title=${one.actions?.map((action) => action.description).join("; ")}>${one.label}</p>
    <button type="button" class="small ${taken ? "taken" : "primary"}" aria-disabled=${taken ? "true" : undefined}
      aria-label=${`${taken ? "Accepted" : "Accept"}: ${one.label}`} onClick=${() => !taken && actions.accept(card, one)}>
      ${taken ? html`${icon("good")}Accepted` : "Accept"}
    </button>
  </li>`;
}

function override(card, done, actions) {
  const reasons = card.overrideReasons ?? [];
  return html`<details class="override" open=${done.opening} onToggle=${(event) => actions.opening(card, event.currentTarget.open)}>
    <summary aria-label=${`Override: ${card.summary}`}>Override</summary>
    <form class="stack tight" onSubmit=${(event) => {
      event.preventDefault();
      const fields = event.currentTarget.elements;
      actions.override(card, reasons[Number(fields.reason.value)], fields.comment.value.trim());
    }}>
      <label class="field"><span>Reason</span>
        <select name="reason" required>
          <option value="">Choose a reason</option>
          ${reasons.map((reason, index) => html`<option value=${index}>${reason.display}</option>`)}
        </select>
      </label>
      <label class="field"><span>Comment <span class="hint">(optional; the service does not keep it)</span></span>
        <input name="comment" autocomplete="off" />
      </label>
      <p><button class="small">Override this card</button></p>
    </form>
  </details>`;
}

/* One sentence for a screen reader. */
export function announcement({ cards }) {
  if (!cards.ok) return `The service refused the call, HTTP ${cards.status}.`;
  const list = cards.content.cards;
  return list.length ? `${counted(list.length, "card", "cards")}. ${list.map((card) => `${WORDS[card.indicator]}: ${card.summary}`).join(". ")}` : "No card.";
}
