/* The record in plain form fields. */

import { patientOf } from "./record.js";
import { drafted } from "./request.js";
import { counted, cross, html } from "./ui.js";

const MOST_ROWS = 8;
const MOST_SHOWN = 200;
const SEXES = { female: "Female", male: "Male" };
const FLAGS = { low: "Low", high: "High" };

export function recordView(state, actions) {
  const { record, service } = state;
  const of = (kind) => record.items.filter((item) => item.kind === kind);
  const body = html`${group(state, actions, "Results", "results", of("result"), (item) => resultRow(item, state, actions), addResult(state, actions))}
    ${group(state, actions, "Medicines", "medicines", of("medicine"), (item) => medicineRow(item, service, actions), addButton("Add a medicine", "medicine", actions))}
    ${group(state, actions, "Problems", "problems", of("problem"), (item) => problemRow(item, service, actions), addButton("Add a problem", "problem", actions))}
    ${others(record, of("other"), actions)}
    ${broken(record)}`;
  return html`<section class="record panel stack" aria-labelledby="record-title">
    <div class="row apart">
      <h2 id="record-title">Record</h2>
      <p class="soft fine">${person(record)}</p>
    </div>
    ${state.narrow ? html`<details><summary>${contents(of)}</summary><div class="stack">${body}</div></details>` : body}
  </section>`;
}

/* On a phone the record is one line until it is wanted: the cards come first. */
function contents(of) {
  return [
    counted(of("result").length, "result", "results"),
    counted(of("medicine").length, "medicine", "medicines"),
    counted(of("problem").length, "problem", "problems"),
  ].join(", ");
}

function person(record) {
  const patient = patientOf(record);
  const sex = SEXES[patient?.gender] ?? "Sex not known";
  const born = patient?.birthDate;
  const age = born ? Math.floor((Date.now() - new Date(born)) / 31557600000) : null;
  return `${sex}${age === null ? ", age not known" : `, ${age} years`}`;
}

function group(state, actions, title, name, items, row, add) {
  const shown = items.slice(0, MOST_ROWS);
  const more = items.slice(MOST_ROWS);
  return html`<fieldset class="rows ${name}">
    <legend>${title}</legend>
    ${items.length ? html`<ul>${shown.map(row)}</ul>` : html`<p class="soft fine">None in this record.</p>`}
    ${more.length > 0 && html`<details open=${state.unfolded[name]} onToggle=${(event) => actions.unfold(name, event.currentTarget.open)}>
      <summary>${counted(more.length, "more row", "more rows")}</summary>
      ${state.unfolded[name] && html`<ul>${more.slice(0, MOST_SHOWN).map(row)}</ul>`}
      ${more.length > MOST_SHOWN && html`<p class="hint">The last ${more.length - MOST_SHOWN} are not shown; they are sent as they came.</p>`}
    </details>`}
    ${add}
  </fieldset>`;
}

function field(item, name, label, actions, options = {}) {
  return html`<input ...${options} class=${`${name} ${options.class ?? ""}`} aria-label=${`${item.display || item.name || "new"}, ${label}`}
    value=${item[name] ?? ""} onInput=${(event) => actions.edit(item, { [name]: event.currentTarget.value })} autocomplete="off" />`;
}

function remove(item, actions) {
  return html`<button type="button" class="quiet small remove" aria-label=${`Remove ${item.display || item.name || "this row"}`}
    title="Remove" onClick=${(event) => actions.remove(item, event.currentTarget)}>${cross}</button>`;
}

function resultRow(item, state, actions) {
  const title = item.name || state.options.loinc[item.loinc] || item.display || "Result";
  const named = { ...item, display: title };
  const [low, high] = item.range;
  const range = low !== undefined && high !== undefined ? `${low}–${high}` : low !== undefined ? `from ${low}` : high !== undefined ? `to ${high}` : "";
  const flag = FLAGS[state.flags[`Observation/${item.entry.resource.id}`]];
  return html`<li key=${item.id} class="result-row">
    <p class="row-name"><span>${title}</span>${flag && html`<span class="badge warning">${flag}</span>`}<span class="hint numeric">${range}</span></p>
    ${field(named, "value", "value", actions, { inputmode: "decimal", class: "number" })}
    ${field(named, "unit", "unit", actions, { list: `units-${unitList(title, state)}` })}
    ${field(named, "date", "date", actions, { type: "date" })}
    ${remove(named, actions)}
  </li>`;
}

function unitList(title, state) {
  return state.options.analytes.find((one) => one.title === title.toLowerCase() || one.title === title)?.id ?? "none";
}

function medicineRow(item, service, actions) {
  return html`<li key=${item.id} class="medicine-row">
    ${field({ ...item, display: item.name }, "name", "name and strength", actions, { placeholder: "Name and strength" })}
    ${remove(item, actions)}
    <label class="small-field"><span>Since</span>${field(item, "start", "since", actions, { type: "date" })}</label>
    <label class="small-field"><span>Until</span>${field(item, "end", "until", actions, { type: "date" })}</label>
    ${draftBox(item, service, "being ordered now", actions)}
  </li>`;
}

function problemRow(item, service, actions) {
  return html`<li key=${item.id} class="problem-row">
    ${field(item, "name", "problem", actions, { placeholder: "Problem" })}
    ${remove(item, actions)}
    <label class="small-field"><span>Since</span>${field(item, "start", "since", actions, { type: "date" })}</label>
    ${draftBox(item, service, "being recorded now", actions)}
  </li>`;
}

/* Which rows the hook is about: the medicine being ordered, the problem being recorded. */
function draftBox(item, service, words, actions) {
  if (!drafted({ ...item, draft: true }, service)) return null;
  return html`<label class="choice draft"><input type="checkbox" checked=${item.draft} onChange=${(event) => actions.edit(item, { draft: event.currentTarget.checked })} />
    <span>${words}<span class="visually-hidden">: ${item.name}</span></span></label>`;
}

function addResult(state, actions) {
  return html`<div class="row end add">
    <label class="field"><span>Add a result</span>
      <select onChange=${(event) => {
        const analyte = state.options.analytes.find((one) => one.id === event.currentTarget.value);
        event.currentTarget.value = "";
        if (analyte) actions.addResult(analyte);
      }}>
        <option value="">Choose one…</option>
        ${state.options.analytes.map((one) => html`<option value=${one.id}>${one.title}</option>`)}
      </select>
    </label>
    ${state.options.analytes.map((one) => html`<datalist id=${`units-${one.id}`}>${one.units.map((unit) => html`<option value=${unit.code} />`)}</datalist>`)}
  </div>`;
}

function addButton(words, kind, actions) {
  return html`<p class="add"><button type="button" class="small" onClick=${() => actions.add(kind)}>${words}</button></p>`;
}

function others(record, items, actions) {
  if (!items.length) return null;
  return html`<fieldset class="rows others"><legend>Also in the record</legend>
    <ul>${items.map((item) => html`<li key=${item.id} class="other-row"><span>${item.name}${" "}<span class="hint numeric">${item.date}</span></span>${remove(item, actions)}</li>`)}</ul>
  </fieldset>`;
}

/* What the EHR sent instead of data goes to the service as it is. */
function broken(record) {
  const parts = record.parts.filter((part) => !part.bundle && part.whole?.resourceType !== "Patient" && part.whole?.resourceType !== "Encounter");
  return html`${parts.map((part) => html`<p class="notice warning fine"><code>${part.key}</code>: the EHR sent ${part.whole === null ? "nothing (null)" : `a resource ${part.whole.resourceType ?? "of no known kind"}`} instead of a list.</p>`)}
  ${record.left > 0 && html`<p class="notice fine">${counted(record.left, "resource is", "resources are")} of a kind that no service here asks for.</p>`}`;
}

