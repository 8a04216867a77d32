/* Why the cards are what they are: everything `explain` says, and the facts that were read. */

import { counted, dated, html, icon, knowledge } from "./ui.js";

const TESTS = {
  suggested: ["info", "Suggested"],
  "already-ordered": ["good", "Ordered"],
  "up-to-date": ["good", "Up to date"],
};

export function whyView(state) {
  if (!state.answer?.explanation) return html`<section class="why panel" aria-labelledby="why-title"><h2 id="why-title">Why</h2><p class="soft">Nothing was assessed.</p></section>`;
  const words = state.options;
  const told = readable(state.answer.explanation, words.units);
  return html`<section class="why panel stack" aria-labelledby="why-title">
    <h2 id="why-title">Why</h2>
    ${gate(told)}
    ${part("Red flags", told.redFlags, (item) => ranked(item, words, words.urgencies[item.urgency], "critical"))}
    ${part("Contributors, in ranked order", told.contributors, (item) => ranked(item, words, words.strengths[item.strength]), "ol")}
    ${part("Important for safety, not a cause", told.safety, (item) => ranked(item, words))}
    ${part("Medicines being ordered", told.proposals, (item) => proposal(item, words))}
    ${part("Considered and not supported", told.considered, (item) => html`<li><strong>${knowledge(item.id, titleOf(item.id, words))}</strong>: ${dated(item.why)}</li>`)}
    ${part("Tests", together(told.tests), test)}
    ${part("Could not be used", told.gaps, (item) => gap(item, words))}
    ${part("Noted", told.notes, (text) => html`<li>${text}</li>`)}
    ${part("Not asked or answered", told.unanswered, (text) => html`<li>${text}</li>`)}
    ${facts(state.answer.facts)}
    <p class="hint">Rules <code>${told.knowledgeVersion}</code>, as of <span class="numeric">${told.assessedAt}</span>.</p>
  </section>`;
}

/* The explanation with its UCUM units as the cards print them. */
function readable(told, units) {
  const codes = Object.keys(units).sort((a, b) => b.length - a.length);
  const ucum = new RegExp(codes.map((code) => code.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
  return JSON.parse(JSON.stringify(told), (_, value) => (typeof value === "string" ? value.replace(ucum, (code) => units[code]) : value));
}

function part(title, items, row, tag = "ul") {
  if (!items?.length) return null;
  return html`<div class="why-part"><h3>${title}</h3><${tag} class="plain">${items.map(row)}<//></div>`;
}

function gate(told) {
  return html`<p class="gate">${icon(told.gate.open ? "good" : "none")}<span><strong>${told.gate.open ? "Twitching is documented" : "Twitching is not documented"}</strong>${
    told.gate.because.length > 0 && html`: ${dated(told.gate.because.map((one) => one.text).join("; "))}`}</span></p>`;
}

function titleOf(id, words) {
  return words.titles[id] ?? id.replace(/^.*:/, "").replaceAll("_", " ");
}

function ranked(item, words, strength) {
  return html`<li class="ranked">
    <p class="ranked-head">${item.tier && html`<span class="badge tier">${item.tier}</span>`}<span class="ranked-title">${knowledge(item.id, item.title)}</span>${strength && html`<span class="soft fine">${strength}</span>`}</p>
    ${item.tier && html`<p class="hint">Tier ${item.tier}: ${words.tiers[item.tier]}.</p>`}
    ${evidence(item.evidence)}
    ${item.explainedBy?.length > 0 && html`<p class="fine">Explained by ${item.explainedBy.map((id) => titleOf(id, words)).join(", ")}.</p>`}
    ${sources(item.references, words)}
  </li>`;
}

function evidence(list) {
  if (!list?.length) return null;
  return html`<ul class="evidence">${list.map((one) => html`<li>${dated(one.text)}${one.resource && html` <code class="hint">${one.resource}</code>`}</li>`)}</ul>`;
}

function sources(references, words) {
  if (!references?.length) return null;
  return html`<p class="hint">Sources: ${references.map((id, index) => html`${index > 0 && "; "}${knowledge(id, words.references[id]?.short ?? id)}`)}</p>`;
}

function proposal(item, words) {
  return html`<li class="ranked"><p class="ranked-head"><strong>${item.drug}</strong><span class="soft fine">${item.title}</span></p>
    <ul class="evidence">${item.effects.map((effect) => html`<li>${effect.text}</li>`)}</ul>${sources(item.references, words)}</li>`;
}

/* Tests with the same status and reason on one line. */
function together(tests) {
  const groups = new Map();
  for (const item of tests) {
    const name = [item.status, item.reason, item.urgency].join("|");
    if (!groups.has(name)) groups.set(name, { ...item, all: [] });
    groups.get(name).all.push(item);
  }
  return [...groups.values()];
}

function test(item) {
  const [kind, word] = TESTS[item.status];
  return html`<li class="test"><span class="badge ${item.status === "suggested" ? "info" : ""}">${icon(kind)}${word}</span><span><strong>${item.all.map((one, index) => html`${index > 0 && ", "}${knowledge(one.id, one.title)}`)}</strong>: ${dated(item.reason)}${item.urgency !== "routine" && html` (${item.urgency})`}</span></li>`;
}

function gap(item, words) {
  const text = item.text || `${titleOf(item.what, words)}: ${words.gapReasons[item.reason] ?? item.reason}`;
  const reason = words.gapReasons[item.reason] ?? item.reason;
  return html`<li>${text}${text.includes(reason) ? "" : ` (${reason})`}${item.resource && html` <code class="hint">${item.resource}</code>`}</li>`;
}

function facts(read) {
  if (!read) return null;
  const rows = [
    ...read.problems.map((one) => [one.text, one.concepts.join(", "), one.onset ?? one.recorded, one.resource]),
    ...read.medications.map((one) => [one.text, [...one.classes, ...one.local.map((name) => `${name} (acts locally)`)].join(", ") || "no class that the rules know", one.start, one.resource]),
    ...read.labs.map((one) => [`${one.title} ${one.comparator}${one.value} ${one.unit}`, one.direction ? (one.direction === "unknown" ? "no limit decides" : one.direction) : "no rule", one.date, one.resource]),
    ...read.findings.map((one) => [one.text, `${one.concept}: ${one.present ? "present" : "absent"}${one.objective ? "" : ", reported"}`, one.date, one.resource]),
    ...read.measures.map((one) => [one.text, one.item, one.date, one.resource]),
    ...read.answers.map((one) => [one.question, `${one.text}${one.reported ? ", answered by the patient" : ""}`, one.date, one.resource]),
    ...read.orders.map((one) => [one.text, `${one.tests.join(", ")}: ${one.status}`, one.date, one.resource]),
  ];
  return html`<details><summary>${counted(rows.length, "fact", "facts")} read</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Facts read">
      <table><thead><tr><th scope="col">Fact</th><th scope="col">Read as</th><th scope="col">Date</th><th scope="col">From</th></tr></thead>
      <tbody>${rows.map(([what, as, on, from]) => html`<tr><th scope="row">${what}</th><td>${as}</td><td class="numeric">${on}</td><td><code>${from}</code></td></tr>`)}</tbody></table>
    </div></details>`;
}
