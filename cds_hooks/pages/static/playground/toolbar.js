/* Whose record, which hook, and a record of one's own. */

import { Unreadable } from "./record.js";
import { html } from "./ui.js";

const MOST_BYTES = 10_000_000;

export function toolbarView(state, actions) {
  const { options, situation } = state;
  if (!options) return null;
  const kind = (name) => options.situations.filter((one) => one.kind === name);
  const chosen = options.situations.find((one) => one.id === situation);
  return html`<div class="toolbar stack tight">
    <div class="row end">
      <label class="field patient-choice"><span>Patient</span>
        <select value=${situation} onChange=${(event) => actions.patient(event.currentTarget.value)}>
          ${!situation && html`<option value="">Your own record</option>`}
          <optgroup label="Examples">${kind("example").map(option(situation))}</optgroup>
          <optgroup label="Whole charts">${kind("chart").map(option(situation))}</optgroup>
        </select>
      </label>
      <label class="field"><span>Hook</span>
        <select value=${state.service?.hook} onChange=${(event) => actions.hook(event.currentTarget.value)}>
          ${options.services.map((one) => html`<option value=${one.hook} selected=${one.hook === state.service?.hook}>${one.hook}</option>`)}
        </select>
      </label>
      <button type="button" onClick=${() => document.getElementById("own-record").showModal()}>Paste or upload…</button>
      ${state.historyForm && html`<a class="button" href=${state.historyForm} onClick=${actions.historyForm}>History form</a>`}
    </div>
    <p class="soft fine">${chosen ? `${chosen.says} Made up, and its dates are moved so that they count from today.` : "A record of your own, as it is. It stays in this tab and goes to this service only."}</p>
    ${state.problem && html`<p class="error" role="alert">${state.problem}</p>`}
    ${dialog(state, actions)}
  </div>`;
}

function option(situation) {
  return (one) => html`<option value=${one.id} selected=${one.id === situation}>${one.title}</option>`;
}

/* What was pasted, else the file: a large record is slow in a text field. */
async function textOf({ document, file }) {
  if (document.value.trim()) return document.value;
  const [chosen] = file.files;
  if (!chosen) throw new Unreadable("Choose a file or paste JSON.");
  if (chosen.size > MOST_BYTES) throw new Unreadable("The file is larger than 10 MB.");
  return chosen.text();
}

function dialog(state, actions) {
  const close = () => document.getElementById("own-record").close();
  return html`<dialog id="own-record" aria-labelledby="own-record-title">
    <form class="stack" onSubmit=${async (event) => {
      event.preventDefault();
      const form = event.currentTarget;
      const message = form.querySelector(".error");
      try {
        actions.open(await textOf(form.elements));
        message.textContent = "";
        form.reset();
        close();
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        message.textContent = error.message;
        form.elements.document.focus();
      }
    }}>
      <h2 id="own-record-title">A record of your own</h2>
      <p class="fine soft">A FHIR R4 Bundle with the Patient in it, or a whole CDS Hooks request. It goes to this service and nowhere else.</p>
      <label class="field"><span>Upload a file</span>
        <input type="file" name="file" accept=".json,application/json,application/fhir+json" />
      </label>
      <label class="field"><span>Or paste JSON</span><textarea class="code" name="document" spellcheck=${false}></textarea></label>
      <p class="error" role="alert"></p>
      <p class="row"><button class="primary">Use it</button><button type="button" class="quiet" onClick=${close}>Cancel</button></p>
    </form>
  </dialog>`;
}
