/* The calls an EHR makes: the cards, why they are what they are, and feedback. All to this origin. */

import { ROOT } from "./ui.js";

export async function get(path) {
  return answer(await fetch(ROOT + path));
}

async function post(path, body, signal) {
  return answer(await fetch(ROOT + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal }));
}

async function answer(response) {
  const text = await response.text();
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    content = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "exception", diagnostics: "The answer is not JSON." }] };
  }
  return { ok: response.ok, status: response.status, content };
}

/* Cards, explanation and facts of one request; `milliseconds` is how long the cards took. */
export async function ask(service, request, signal) {
  const start = performance.now();
  const cards = await post(`/cds-services/${service.id}`, request, signal);
  const milliseconds = performance.now() - start;
  if (!cards.ok) return { cards, milliseconds };
  const [explanation, facts] = await Promise.all([
    post(`/cds-services/${service.id}/explain`, request, signal),
    post(`/playground/facts/${service.id}`, request, signal),
  ]);
  return { cards, explanation: explanation.ok ? explanation.content : null, facts: facts.ok ? facts.content : null, milliseconds };
}

export function accepted(service, card, suggestion) {
  return feedback(service, { card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
}

export function overridden(service, card, reason, comment) {
  const overrideReason = {};
  if (reason) overrideReason.reason = { code: reason.code, system: reason.system };
  if (comment) overrideReason.userComment = comment;
  return feedback(service, { card: card.uuid, outcome: "overridden", overrideReason });
}

function feedback(service, item) {
  return post(`/cds-services/${service.id}/feedback`, { feedback: [{ ...item, outcomeTimestamp: new Date().toISOString() }] });
}

/* The same call for a terminal. */
export function curl(service, request) {
  const address = `${location.origin}${ROOT}/cds-services/${service.id}`;
  const end = "END-OF-REQUEST";
  return `curl -s ${address} -H 'Content-Type: application/json' --data-binary @- <<'${end}'\n${JSON.stringify(request, null, 1)}\n${end}\n`;
}
