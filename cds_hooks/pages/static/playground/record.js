/* A hook request or a Bundle as rows that can be edited. Knows no page; request.js makes a hook request of the rows. */

import { newId, today } from "./ui.js";

const CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category";
const MEDICINES = ["MedicationRequest", "MedicationStatement"];
const BESIDE = { Medication: "medications", Specimen: "labs" };
/* What results and medicines point to. */

export class Unreadable extends Error {}

/* The record of a document. Raises Unreadable with what a person can do about it. */
export function read(document_, services) {
  if (document_ === null || typeof document_ !== "object" || Array.isArray(document_)) {
    throw new Unreadable("This is no hook request and no Bundle: it must be a JSON object.");
  }
  if (document_.resourceType === "Bundle") return readBundle(document_, services);
  if (typeof document_.hook === "string") return readRequest(document_, services);
  throw new Unreadable(
    document_.resourceType
      ? `This is a ${document_.resourceType}. Paste the Bundle that holds it, with the Patient.`
      : "This is no hook request (it has no `hook`) and no Bundle (it has no `resourceType`)."
  );
}

function readRequest(request, services) {
  const { hook, hookInstance, context, prefetch, fhirAuthorization, ...more } = request;
  const service = services.find((one) => one.hook === hook);
  if (!service) {
    throw new Unreadable(`No service here answers the hook "${hook}"; use one of: ${services.map((one) => one.hook).join(", ")}.`);
  }
  const { patientId, userId, encounterId, draftOrders, conditions, selections, ...context_ } = Object(context);
  const record = { hook, more, context: context_, patientId, userId, encounterId, parts: [], items: [], left: 0 };
  for (const [key, content] of Object.entries(Object(prefetch))) take(record, key, content);
  for (const [drafts, key] of [[draftOrders, null], [conditions, "conditions"]]) {
    for (const entry of entriesOf(drafts)) {
      if (!entry.resource) continue;
      const place = key ?? (entry.resource.resourceType === "ServiceRequest" ? "orders" : "medications");
      const item = itemOf(place, entry);
      item.draft = !selections?.length || !draftOrders || selections.includes(`${entry.resource.resourceType}/${entry.resource.id}`);
      record.items.push(item);
    }
  }
  return record;
}

/* Every resource under the prefetch key that asks for it. */
function readBundle(bundle, services) {
  const resources = resourcesIn(bundle);
  const patient = resources.find((one) => one.resourceType === "Patient");
  const subject = resources.map((one) => (one.subject ?? one.patient)?.reference).find(Boolean);
  const patientId = patient?.id ?? subject?.split("/").pop();
  if (!patientId) throw new Unreadable("This Bundle names no patient: add the Patient resource.");
  const record = { hook: "patient-view", more: {}, context: {}, patientId, userId: "Practitioner/playground", parts: [], items: [], left: 0 };
  const keys = keysByType(services[0].prefetch);
  for (const key of Object.keys(services[0].prefetch)) {
    if (key === "patient") record.parts.push({ key, whole: patient ?? null });
    else if (key !== "encounter") record.parts.push({ key, bundle: { resourceType: "Bundle", type: "searchset" } });
  }
  for (const resource of resources) {
    if (resource === patient) continue;
    const key = resource.resourceType === "Encounter" ? "encounter" : keyOf(resource, keys);
    if (key === "encounter") {
      record.encounterId = resource.id;
      record.parts = record.parts.filter((part) => part.key !== key).concat({ key, whole: resource });
    } else if (key) record.items.push(itemOf(key, { resource }));
    else record.left += 1;
  }
  return record;
}

function resourcesIn(bundle) {
  return entriesOf(bundle).flatMap((entry) => (entry?.resource?.resourceType === "Bundle" ? resourcesIn(entry.resource) : entry?.resource ?? []));
}

function entriesOf(bundle) {
  return Array.isArray(bundle?.entry) ? bundle.entry : [];
}

function keysByType(prefetch) {
  const keys = {};
  for (const [key, template] of Object.entries(prefetch)) {
    const [type, query = ""] = template.split("?");
    const category = /category=([^&]*)/.exec(query)?.[1];
    for (const one of category ? category.split(",") : [""]) keys[`${type.split("/")[0]} ${one}`] = key;
  }
  return keys;
}

function keyOf(resource, keys) {
  const type = resource.resourceType;
  if (BESIDE[type]) return BESIDE[type];
  if (type !== "Observation") return keys[`${type} `];
  return categoriesOf(resource).map((code) => keys[`${type} ${code}`]).find(Boolean) ?? keys[`${type} ${resource.valueQuantity ? "laboratory" : "exam"}`];
}

function categoriesOf(resource) {
  const categories = Array.isArray(resource.category) ? resource.category : [];
  return categories.flatMap((one) => (one?.coding ?? []).map((coding) => coding.code));
}

function take(record, key, content) {
  if (content?.resourceType !== "Bundle" || !Array.isArray(content.entry ?? [])) {
    record.parts.push({ key, whole: content });
    return;
  }
  const { entry = [], ...bundle } = content;
  record.parts.push({ key, bundle, count: entry.length });
  for (const one of entry) record.items.push(itemOf(key, one));
}

/* One row. What nobody edits goes back exactly as it came. */
function itemOf(key, entry) {
  const resource = Object(entry?.resource);
  const item = { id: newId(), key, entry, kind: "other", draft: false, touched: false };
  if (resource.resourceType === "Condition") return { ...item, kind: "problem", ...problemFields(resource) };
  if (MEDICINES.includes(resource.resourceType)) return { ...item, kind: "medicine", ...medicineFields(resource) };
  const laboratory = key === "labs" || categoriesOf(resource).includes("laboratory");
  if (resource.resourceType === "Observation" && laboratory && !resource.component) {
    return { ...item, kind: "result", ...resultFields(resource) };
  }
  return { ...item, name: otherName(resource), date: dayOf(resource) };
}

export function nameOf(concept) {
  return concept?.text ?? concept?.coding?.find((coding) => coding.display)?.display ?? concept?.coding?.[0]?.code ?? "";
}

function problemFields(resource) {
  return { name: nameOf(resource.code), start: day(resource.onsetDateTime ?? resource.recordedDate) };
}

export function medicineFields(resource) {
  const period = resource.dosageInstruction?.[0]?.timing?.repeat?.boundsPeriod ?? resource.effectivePeriod ?? {};
  return {
    name: nameOf(resource.medicationCodeableConcept) || resource.medicationReference?.display || resource.medicationReference?.reference || "",
    start: day(period.start ?? resource.effectiveDateTime ?? resource.authoredOn),
    end: day(period.end),
  };
}

function resultFields(resource) {
  const quantity = resource.valueQuantity ?? {};
  const range = resource.referenceRange?.[0] ?? {};
  return {
    name: resource.code?.text ?? "",
    loinc: resource.code?.coding?.find((coding) => coding.system === "http://loinc.org")?.code ?? "",
    display: nameOf(resource.code),
    value: `${quantity.comparator ?? ""}${quantity.value ?? resource.valueString ?? ""}`,
    unit: quantity.unit ?? quantity.code ?? "",
    date: day(resource.effectiveDateTime ?? resource.effectivePeriod?.end ?? resource.issued),
    range: [range.low?.value, range.high?.value],
  };
}

function otherName(resource) {
  const what = nameOf(resource.code ?? resource.type) || (resource.questionnaire ? "Answers to the history questions" : "");
  const value = resource.valueString ?? nameOf(resource.valueCodeableConcept);
  const number = resource.valueQuantity ? `${resource.valueQuantity.value} ${resource.valueQuantity.unit ?? ""}` : "";
  return [what || resource.resourceType || "a resource that cannot be read", value || number || (resource.valueBoolean === true ? "present" : "")].filter(Boolean).join(": ");
}

function dayOf(resource) {
  return day(resource.effectiveDateTime ?? resource.performedDateTime ?? resource.authored ?? resource.authoredOn);
}

function day(text) {
  return /^\d{4}-\d\d-\d\d/.test(text ?? "") ? text.slice(0, 10) : "";
}

/* New rows. */
export function newResult(analyte, unit, coding) {
  const resource = { resourceType: "Observation", id: `added-${newId().slice(0, 8)}`, status: "final", category: [{ coding: [{ system: CATEGORIES, code: "laboratory" }] }], code: { coding: [coding], text: analyte.title } };
  return { ...itemOf("labs", { resource }), unit, date: today(), touched: true, added: true };
}

export function newMedicine() {
  const resource = { resourceType: "MedicationRequest", id: `added-${newId().slice(0, 8)}`, status: "active", intent: "order" };
  return { ...itemOf("medications", { resource }), start: today(), touched: true, added: true };
}

export function newProblem(name) {
  const active = { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }] };
  const resource = { resourceType: "Condition", id: `added-${newId().slice(0, 8)}`, clinicalStatus: active };
  return { ...itemOf("conditions", { resource }), name, start: today(), touched: true, added: true };
}

export function newOther(key, resource) {
  return { ...itemOf(key, { resource }), added: true };
}

export function patientOf(record) {
  const part = record.parts.find((one) => one.whole?.resourceType === "Patient");
  return part?.whole;
}
