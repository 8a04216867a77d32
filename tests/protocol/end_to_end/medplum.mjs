// Medplum's own CDS Hooks client, driven by one JSON object on standard input:
//   sdk: path of @medplum/core; fhir: base URL; cds: base URL of the services
//   contexts: {hook: context}; act: whether to take up the first suggestion, sign it and send feedback
// It answers with one JSON object: discovery, calls ({id: {request, response}}), created, signed, found, feedback.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const task = JSON.parse(readFileSync(0, 'utf8'));
const { MedplumClient, buildCdsRequest } = await import(pathToFileURL(task.sdk).href);

const fhir = new URL(task.fhir);
const medplum = new MedplumClient({
  baseUrl: fhir.origin,
  fhirUrlPath: fhir.pathname.slice(1),
  cdsServicesUrl: task.cds,
  maxRetries: 0,
});

const user = await medplum.readResource('Practitioner', task.practitioner);
const told = { discovery: await medplum.getCdsServices(), calls: {} };
for (const service of told.discovery.services) {
  const request = await buildCdsRequest(medplum, user, service, task.contexts[service.hook]);
  told.calls[service.id] = { request, response: await medplum.callCdsService(service.id, request) };
}

if (task.act) {
  const [id, { response }] = Object.entries(told.calls)[0];
  const card = response.cards.find((one) => one.suggestions);
  const suggestion = card.suggestions[0];
  told.created = await medplum.createResource(suggestion.actions[0].resource);
  told.signed = await medplum.updateResource({ ...told.created, status: 'active', intent: 'order' });
  told.found = await medplum.search('ServiceRequest', { patient: told.created.subject.reference });
  const now = new Date().toISOString();
  const others = response.cards.filter((one) => one.uuid !== card.uuid);
  told.feedback = await medplum.post(`${task.cds}/${id}/feedback`, {
    feedback: [
      { card: card.uuid, outcome: 'accepted', acceptedSuggestions: [{ id: suggestion.uuid }], outcomeTimestamp: now },
      ...others.map((one) => ({
        card: one.uuid,
        outcome: 'overridden',
        overrideReason: { reason: one.overrideReasons[0] },
        outcomeTimestamp: now,
      })),
    ],
  });
}
console.log(JSON.stringify(told));
