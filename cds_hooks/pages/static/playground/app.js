/* The playground: one state, one way to draw it, and the actions that change it. */

import { announcement, cardsView } from "./cards-view.js";
import { callView } from "./call-view.js";
import { answersFromForm, keep, restored } from "./handover.js";
import { Unreadable, newMedicine, newOther, newProblem, newResult, read } from "./record.js";
import { recordView } from "./record-view.js";
import { requestOf } from "./request.js";
import { accepted, ask, get, overridden } from "./service.js";
import { timelineView } from "./timeline.js";
import { toolbarView } from "./toolbar.js";
import { html, render } from "./ui.js";
import { whyView } from "./why-view.js";

const DEBOUNCE = 300;
const root = document.getElementById("playground");
const state = { done: {}, unfolded: {}, flags: {}, said: "", shown: "curl", width: 720, problem: "", historyForm: root.dataset.historyForm };
let timer = 0;
let underWay = null;

state.plot = (element) => {
  if (element && element !== state.watched) {
    state.watched = element;
    watcher.observe(element);
  }
};
const watcher = new ResizeObserver(([entry]) => {
  const width = Math.round(entry.contentRect.width);
  if (Math.abs(width - state.width) > 2) {
    state.width = width;
    draw();
  }
});

const narrow = matchMedia("(max-width: 57.99rem)");
narrow.addEventListener("change", () => draw());

function draw() {
  state.narrow = narrow.matches;
  render(
    html`${toolbarView(state, actions)}
      <p class="visually-hidden" role="status">${state.said}</p>
      ${state.record && html`<div class="bench">${recordView(state, actions)}${cardsView(state, actions)}${whyView(state)}</div>
        ${timelineView(state)}${callView(state, actions)}`}`,
    root
  );
}

/* Ask anew once nothing has been changed for a moment. */
function changed(wait = DEBOUNCE) {
  clearTimeout(timer);
  timer = setTimeout(call, wait);
  draw();
}

async function call() {
  underWay?.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  const { service } = state;
  const request = requestOf(state.record, service);
  state.waiting = true;
  try {
    const answer = await ask(service, request, signal);
    Object.assign(state, { answer, sent: request, done: {}, flags: flagsOf(answer.facts), copied: "" });
    state.said = announcement(answer);
  } catch (error) {
    if (signal.aborted) return;
    const content = { issue: [{ diagnostics: "The service did not answer. Is it still running?" }] };
    Object.assign(state, { answer: { cards: { ok: false, status: 0, content }, milliseconds: 0 }, sent: request });
    state.said = "The service did not answer.";
  }
  state.waiting = false;
  draw();
}

function flagsOf(facts) {
  return Object.fromEntries((facts?.labs ?? []).map((lab) => [lab.resource, lab.direction]));
}

/* Show another record; `hook` wins over the one it was made for. */
function use(content, hook = "") {
  const record = read(content, state.options.services);
  state.unfolded = {};
  state.record = record;
  choose(hook || record.hook);
}

/* With a hook about drafts, something must be drafted. */
function choose(hook) {
  const { services } = state.options;
  state.service = services.find((one) => one.hook === hook) ?? services[0];
  const kind = { conditions: "problem", draftOrders: "medicine" }[state.service.resources[0]];
  const rows = state.record.items.filter((item) => item.kind === kind);
  if (rows.length && !rows.some((item) => item.draft)) rows[kind === "medicine" ? rows.length - 1 : 0].draft = true;
}

async function load(id, hook) {
  const found = await get(`/playground/patients/${encodeURIComponent(id)}`);
  if (!found.ok) {
    state.problem = `There is no patient “${id}”.`;
    return;
  }
  state.situation = id;
  state.problem = "";
  use(found.content, hook);
  remember();
}

function remember() {
  const query = state.situation ? `?${new URLSearchParams({ patient: state.situation, hook: state.service.hook })}` : "";
  history.replaceState(null, "", `${location.pathname}${query}`);
}

function put(item, fields) {
  state.record.items = state.record.items.map((one) => (one.id === item.id ? { ...one, ...fields } : one));
}

function add(item, fieldName) {
  const { items } = state.record;
  state.record.items = [item, ...items];
  changed();
  root.querySelector(`.${item.kind}-row .${fieldName}`)?.focus();
}

const actions = {
  async patient(id) {
    await load(id, state.service?.hook === "patient-view" ? "" : state.service?.hook);
    changed(0);
  },
  hook(hook) {
    choose(hook);
    remember();
    changed(0);
  },
  open(text) {
    let content;
    try {
      content = JSON.parse(text);
    } catch (error) {
      throw new Unreadable(`This is not JSON: ${error.message}.`);
    }
    try {
      use(content);
    } catch (error) {
      throw error instanceof TypeError ? new Unreadable("Something in it does not have the shape that FHIR gives it.") : error;
    }
    state.situation = "";
    state.problem = "";
    remember();
    changed(0);
  },
  edit(item, fields) {
    put(item, "draft" in fields ? fields : { ...fields, touched: true });
    changed();
  },
  remove(item, button) {
    const row = button.closest("li");
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const place = next?.querySelector(".remove") ?? row.closest("fieldset");
    state.record.items = state.record.items.filter((one) => one.id !== item.id);
    state.said = `Removed ${item.display || item.name}.`;
    changed();
    if (place.tagName === "FIELDSET") place.querySelector(".add button, .add select")?.focus();
    else place.focus();
  },
  addResult(analyte) {
    const [unit] = analyte.units;
    add(newResult(analyte, unit.code, unit.coding), "value");
  },
  add(kind) {
    add(kind === "medicine" ? newMedicine() : newProblem(""), "name");
  },
  document() {
    state.record.items = [...state.record.items, newProblem("Fasciculation")];
    changed(0);
  },
  async accept(card, suggestion) {
    const told = await accepted(state.service, card, suggestion);
    const done = state.done[card.uuid] ?? {};
    if (!told.ok) {
      state.done[card.uuid] = { ...done, error: refused(told) };
    } else {
      state.done[card.uuid] = { ...done, error: "", accepted: [...(done.accepted ?? []), suggestion.uuid] };
      for (const { resource } of suggestion.actions ?? []) {
        state.record.items = [...state.record.items, newOther("orders", { ...resource, id: `accepted-${suggestion.uuid}`, status: "active", intent: "order" })];
      }
      state.said = `Accepted: ${suggestion.label}. It counts as ordered from the next call on, and the service has been told.`;
    }
    draw();
  },
  opening(card, open) {
    state.done[card.uuid] = { ...state.done[card.uuid], opening: open };
  },
  async override(card, reason, comment) {
    const told = await overridden(state.service, card, reason, comment);
    const done = state.done[card.uuid] ?? {};
    state.done[card.uuid] = told.ok ? { overridden: reason.display } : { ...done, error: refused(told) };
    if (told.ok) state.said = `Overridden: ${reason.display}. The service has been told.`;
    draw();
    document.getElementById(`card-${card.uuid}`)?.focus();
  },
  again: () => changed(0),
  unfold(name, open) {
    state.unfolded = { ...state.unfolded, [name]: open };
    draw();
  },
  show(name) {
    state.shown = name;
    draw();
  },
  say(text, copied = false) {
    state.said = text;
    if (copied) state.copied = text;
    draw();
  },
  historyForm() {
    keep(requestOf(state.record, state.service), state.situation);
  },
};

function refused(told) {
  return `The service did not take it (HTTP ${told.status}): ${told.content.issue?.[0]?.diagnostics ?? ""}`;
}

/* What came back from the history form replaces the answers that were there. */
function takeAnswers(response) {
  const { items } = state.record;
  const others = items.filter((item) => item.entry?.resource?.questionnaire !== response.questionnaire);
  state.record.items = [...others, newOther("answers", response)];
  state.said = "The answers of the history form are in the record.";
}

async function start() {
  const offered = await get("/playground/options");
  state.options = offered.content;
  const query = new URLSearchParams(location.search);
  const kept = restored();
  const answers = answersFromForm();
  try {
    if (kept) {
      use(kept.request);
      state.situation = kept.situation;
      if (state.situation) remember();
    } else {
      await load(query.get("patient") ?? state.options.situations[0].id, query.get("hook") ?? "");
      if (!state.record) await load(state.options.situations[0].id);
    }
    if (answers) takeAnswers(answers);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    state.problem = error.message;
  }
  draw();
  if (state.record) await call();
}

start();
