/* The hook request that an EHR with these rows would send. What nobody edited goes back exactly as it came. */

import { medicineFields, nameOf } from "./record.js";
import { newId, today } from "./ui.js";

const UCUM = "http://unitsofmeasure.org";

/* A row that says nothing yet is not sent. */
function complete(item) {
  return item.kind === "result" ? !item.added || item.value.trim() !== "" : item.kind === "other" || item.name.trim() !== "";
}

function resourceOf(item, record) {
  if (!item.touched) return item.entry.resource;
  const resource = structuredClone(item.entry.resource);
  resource.subject ??= { reference: `Patient/${record.patientId}` };
  if (item.kind === "problem") writeProblem(resource, item);
  else if (item.kind === "medicine") writeMedicine(resource, item);
  else writeResult(resource, item);
  return resource;
}

function write(resource, name, value) {
  if (value) resource[name] = value;
  else delete resource[name];
}

function writeProblem(resource, item) {
  if (item.name !== nameOf(resource.code)) resource.code = { text: item.name };
  write(resource, "onsetDateTime", item.start);
}

function writeMedicine(resource, item) {
  if (item.name !== medicineFields(resource).name) {
    delete resource.medicationReference;
    resource.medicationCodeableConcept = { text: item.name };
    if (resource.dosageInstruction?.[0]?.text) resource.dosageInstruction[0].text = item.name;
  }
  const period = {};
  write(period, "start", item.start);
  write(period, "end", item.end);
  if (resource.resourceType === "MedicationStatement") {
    delete resource.effectiveDateTime;
    resource.effectivePeriod = period;
    return;
  }
  write(resource, "authoredOn", item.start);
  const dosage = (resource.dosageInstruction ??= [{}])[0];
  ((dosage.timing ??= {}).repeat ??= {}).boundsPeriod = period;
  if (resource.dispenseRequest?.validityPeriod) resource.dispenseRequest.validityPeriod = period;
}

function writeResult(resource, item) {
  for (const name of ["valueString", "valueQuantity", "dataAbsentReason", "effectivePeriod", "effectiveDateTime"]) delete resource[name];
  write(resource, "effectiveDateTime", item.date);
  const number = /^\s*(<=|>=|<|>)?\s*(-?\d+(?:[.,]\d+)?)\s*$/.exec(item.value);
  if (!number) {
    write(resource, "valueString", item.value.trim());
    return;
  }
  const quantity = { value: Number(number[2].replace(",", ".")) };
  if (number[1]) quantity.comparator = number[1];
  const unit = item.unit.trim();
  if (unit) Object.assign(quantity, { unit, system: UCUM, code: item.ucum ?? unit });
  resource.valueQuantity = quantity;
}

/* The hook request that an EHR with this record would send. */
export function requestOf(record, service) {
  const drafting = service.resources[0];
  const context = { ...record.context, userId: record.userId || "Practitioner/playground", patientId: record.patientId };
  const encounter = record.encounterId ?? (service.hook === "encounter-start" ? "playground" : undefined);
  if (encounter) context.encounterId = encounter;
  const sent = record.items.filter(complete);
  const drafts = sent.filter((item) => drafted(item, service));
  if (drafting) {
    context[drafting] = { resourceType: "Bundle", type: "collection", entry: drafts.map((item) => ({ resource: draftOf(item, record) })) };
    if (service.hook === "order-select") context.selections = drafts.map((item) => reference(item));
  }
  const prefetch = {};
  for (const part of record.parts) {
    prefetch[part.key] = part.bundle ? bundleOf(part, sent, drafts, record) : part.whole;
  }
  for (const item of sent) {
    if (prefetch[item.key]?.resourceType === "Bundle" || drafts.includes(item)) continue;
    const added = sent.filter((one) => one.key === item.key && !drafts.includes(one));
    prefetch[item.key] = { resourceType: "Bundle", type: "searchset", entry: added.map((one) => entryOf(one, record)) };
  }
  return { hook: service.hook, hookInstance: newId(), ...record.more, context, prefetch };
}

/* Whether the row is part of the context, not of the record, with this hook. */
export function drafted(item, service) {
  if (!item.draft) return false;
  const type = item.entry.resource.resourceType;
  return service.resources[0] === "conditions" ? type === "Condition" : service.resources[0] === "draftOrders" && ["MedicationRequest", "ServiceRequest"].includes(type);
}

function draftOf(item, record) {
  const resource = structuredClone(resourceOf(item, record));
  if (resource.resourceType === "Condition") return resource;
  resource.status = "draft";
  resource.authoredOn = today();
  delete resource.dispenseRequest;
  for (const dosage of resource.dosageInstruction ?? []) delete dosage.timing;
  return resource;
}

function reference(item) {
  return `${item.entry.resource.resourceType}/${item.entry.resource.id}`;
}

function entryOf(item, record) {
  return item.touched ? { ...item.entry, resource: resourceOf(item, record) } : item.entry;
}

function bundleOf(part, sent, drafts, record) {
  const entry = sent.filter((item) => item.key === part.key && !drafts.includes(item)).map((item) => entryOf(item, record));
  const bundle = { ...part.bundle };
  if ("total" in bundle) bundle.total += entry.length - part.count;
  return entry.length ? { ...bundle, entry } : bundle;
}
