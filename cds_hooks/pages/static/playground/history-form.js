/* The answers as a FHIR QuestionnaireResponse, made in the browser. */

import { handAnswers, waiting } from "./handover.js";
import { ROOT, copy, counted, today } from "./ui.js";

const form = document.getElementById("history-form");
const patient = form.elements.patient;
const query = new URLSearchParams(location.search);

function answerOf(field) {
  if (field.dataset.kind === "date") return { valueDate: field.value };
  if (field.dataset.kind === "boolean") return { valueBoolean: field.value === "true" };
  return { valueCoding: { system: field.dataset.system, code: field.value, display: field.dataset.display } };
}

/* Only what was answered: an open question has no item. */
function items() {
  const found = new Map();
  for (const field of form.querySelectorAll("[data-kind]")) {
    const given = field.type === "date" ? field.value : field.checked && field.value;
    if (!given) continue;
    if (!found.has(field.name)) found.set(field.name, { linkId: field.name, text: field.dataset.text, answer: [] });
    found.get(field.name).answer.push(answerOf(field));
  }
  return [...found.values()];
}

/* With who answered: what a patient reports is not what a clinician found. */
function response() {
  const subject = { reference: `Patient/${patient.value.trim()}` };
  const user = waiting()?.userId ?? "";
  const clinician = user.startsWith("Practitioner") ? { reference: user } : { type: "Practitioner", display: "a clinician" };
  return {
    resourceType: "QuestionnaireResponse",
    questionnaire: form.dataset.questionnaire,
    status: "completed",
    subject,
    authored: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    source: form.elements.who.value === "patient" ? subject : clinician,
    item: items(),
  };
}

function show() {
  const made = response();
  const answered = made.item.length;
  document.getElementById("made").textContent = JSON.stringify(made, null, 2);
  document.getElementById("count").textContent = answered ? `${counted(answered, "question", "questions")} answered` : "Nothing answered yet";
}

/* What is wrong with the form, said at the field; true when nothing is. */
function checked() {
  const dates = [...form.querySelectorAll('input[type="date"]')];
  const late = dates.find((field) => field.value > field.max);
  const wrong = patient.validity.valid ? late : patient;
  const message = patient.validity.valid ? "" : "Write the id of the patient in the record system: letters, digits, “-” and “.”.";
  document.getElementById("patient-error").textContent = message;
  patient.setAttribute("aria-invalid", String(!patient.validity.valid));
  for (const field of dates) field.setAttribute("aria-invalid", String(field === late));
  if (late && patient.validity.valid) document.getElementById("count").textContent = "A date lies in the future.";
  wrong?.focus();
  return !wrong;
}

async function hand(to) {
  const text = `${JSON.stringify(response(), null, 2)}\n`;
  if (to === "playground") {
    handAnswers(response());
    location.assign(`${ROOT}/`);
  } else if (to === "copy") {
    await copy(text);
    document.getElementById("count").textContent = "Copied";
  } else {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/fhir+json" }));
    link.download = "twitching-history.json";
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/* Opened as a SMART app: from which record system, and that this page does not sign in to it. */
function sayLaunch() {
  const from = query.get("iss");
  if (!from) return;
  const place = document.querySelector(".launched");
  place.hidden = false;
  place.textContent = `Opened from ${from}. This form does not sign in there, so it is not told whose chart is open and writes nothing back: check the patient id, then download the answers or copy them.`;
}

patient.value = query.get("patient") ?? waiting()?.patientId ?? "";
for (const field of form.querySelectorAll('input[type="date"]')) field.max = today();
form.addEventListener("input", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (checked()) hand(event.submitter?.value);
});
sayLaunch();
show();
