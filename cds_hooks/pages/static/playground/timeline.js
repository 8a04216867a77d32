/* Results over time with their limits, and the courses of the medicines, as a drawing; the numbers stand beside it. */

import { html } from "./ui.js";

const DAY = 86400000;
const ROW = 58;
const TALL = 92;
const COURSE = 22;
const MOST = 5;
const STEPS = [1, 7, 14, 30, 61, 91, 183, 365, 730, 1826];

export function timelineView(state) {
  const facts = state.answer?.facts;
  if (!facts?.labs.length) return null;
  const series = chosen(facts.labs);
  const shown = series.flatMap((one) => one.labs).sort((a, b) => b.date.localeCompare(a.date));
  return html`<section class="timeline panel stack" aria-labelledby="timeline-title">
    <div class="row apart"><h2 id="timeline-title">Over time</h2>
      <p class="legend fine soft"><span><span class="key band"></span> within the limits</span> <span><span class="key point out"></span> out of range</span> <span><span class="key course"></span> medicine</span></p></div>
    <div class="timeline-parts">
      <div class="plot" ref=${state.plot}>${drawing(series, facts, state)}</div>
      <div class="scroll" tabindex="0" role="region" aria-label="The numbers of the drawing">
        <table class="numbers"><thead><tr><th scope="col">Date</th><th scope="col">Result</th><th scope="col" class="number">Value</th><th scope="col" class="number">Limits</th></tr></thead>
        <tbody>${shown.map((lab) => html`<tr><td class="numeric">${lab.date}</td><th scope="row">${lab.title}</th>
          <td class="number">${out(lab) && html`<span class="badge warning">${lab.direction}</span> `}${lab.comparator}${lab.value} ${lab.unit}</td>
          <td class="number limits">${limits(lab)}</td></tr>`)}</tbody></table>
      </div>
    </div>
  </section>`;
}

function out(lab) {
  return lab.direction === "low" || lab.direction === "high";
}

function limits(lab) {
  if (lab.low === undefined && lab.high === undefined) return "";
  const [low, high] = [lab.low ?? null, lab.high ?? null];
  if (low === null && high === null) return "";
  const text = low === null ? `to ${high}` : high === null ? `from ${low}` : `${low}–${high}`;
  return `${text} (${lab.limitSource})`;
}

/* The analytes that were ever out of range first, then those with the most results. */
function chosen(labs) {
  const groups = new Map();
  for (const lab of labs) {
    const name = `${lab.title}, ${lab.unit}`;
    if (!groups.has(name)) groups.set(name, { title: lab.title, unit: lab.unit, labs: [] });
    groups.get(name).labs.push(lab);
  }
  const weight = (one) => (out(one.labs[0]) ? 2000 : one.labs.some(out) ? 1000 : 0) + one.labs.length;
  return [...groups.values()].sort((a, b) => weight(b) - weight(a)).slice(0, MOST);
}

function time(date) {
  return Date.parse(`${date}T00:00:00Z`);
}

function drawing(series, facts, state) {
  const width = Math.max(260, state.width);
  const now = time(state.answer.explanation?.assessedAt ?? facts.labs[0].date);
  const earliest = Math.min(...series.flatMap((one) => one.labs.map((lab) => time(lab.date))), now - 28 * DAY);
  const from = earliest - (now - earliest) * 0.04;
  const left = 6;
  const right = width - 14;
  const x = (at) => left + ((Math.max(at, from) - from) / (now - from)) * (right - left);
  const courses = facts.medications.filter((one) => one.status !== "draft" && (!one.end || time(one.end) >= from)).slice(0, 6);
  const top = 8;
  const tops = [top];
  for (const one of series) tops.push(tops.at(-1) + heightOf(one));
  const onset = facts.problems.filter((one) => one.concepts.some((name) => name.includes("fasciculation")) && one.onset).map((one) => time(one.onset)).filter((at) => at >= from)[0];
  const bottom = tops.at(-1) + courses.length * COURSE + (onset === undefined ? 8 : 20);
  const words = series.map((one) => `${one.title}: ${one.labs.map((lab) => `${lab.value} on ${lab.date}${out(lab) ? ` (${lab.direction})` : ""}`).join(", ")}`).join(". ");
  return html`<svg viewBox="0 0 ${width} ${bottom + 22}" width=${width} height=${bottom + 22} role="img" aria-label=${`Results over time. ${words}.`}>
    ${ticks(from, now).map((at) => html`<g class="tick"><line x1=${x(at)} x2=${x(at)} y1=${top} y2=${bottom} /><text x=${x(at)} y=${bottom + 16} text-anchor="middle">${tickText(at, now - from)}</text></g>`)}
    ${onset !== undefined && html`<g class="onset"><line x1=${x(onset)} x2=${x(onset)} y1=${top} y2=${bottom} /></g>`}
    ${series.map((one, index) => row(one, tops[index], x, left, right))}
    ${courses.map((one, index) => course(one, tops.at(-1) + 6 + index * COURSE, x, now, from, right))}
    ${onset !== undefined && html`<text class="onset-text" x=${x(onset) + (x(onset) > right / 2 ? -5 : 5)} y=${bottom - 2} text-anchor=${x(onset) > right / 2 ? "end" : "start"}>twitching begins</text>`}
    <g class="now"><line x1=${right} x2=${right} y1=${top} y2=${bottom} /><text x=${right + 6} y=${bottom + 16} text-anchor="end">today</text></g>
  </svg>`;
}

/* What was ever out of range gets more room. */
function heightOf({ labs }) {
  return labs.some(out) && labs.length > 1 ? TALL : ROW;
}

function row({ title, unit, labs }, top, x, left, right) {
  const points = [...labs].reverse();
  const newest = labs[0];
  const [low, high] = [newest.low ?? null, newest.high ?? null].map((end) => (end === null ? null : Number(end)));
  const values = points.map((lab) => Number(lab.value));
  const ends = [...values, ...[low, high].filter((end) => end !== null)];
  const margin = (Math.max(...ends) - Math.min(...ends) || Math.abs(ends[0]) || 1) * 0.12;
  const [bottomValue, topValue] = [Math.min(...ends) - margin, Math.max(...ends) + margin];
  const [upper, lower] = [top + 20, top + heightOf({ labs }) - 8];
  const y = (value) => lower - ((value - bottomValue) / (topValue - bottomValue)) * (lower - upper);
  const bandTop = high === null ? upper : y(high);
  const bandBottom = low === null ? lower : y(low);
  return html`<g class="series">
    <text class="series-name" x=${left} y=${top + 13}>${title}<tspan class="series-unit"> ${newest.comparator}${newest.value} ${unit}</tspan></text>
    ${(low !== null || high !== null) && html`<rect class="band" x=${left} y=${bandTop} width=${right - left} height=${Math.max(0, bandBottom - bandTop)} />`}
    ${low !== null && html`<line class="limit" x1=${left} x2=${right} y1=${y(low)} y2=${y(low)} />`}
    ${high !== null && html`<line class="limit" x1=${left} x2=${right} y1=${y(high)} y2=${y(high)} />`}
    <polyline class="path" points=${points.map((lab, index) => `${x(time(lab.date))},${y(values[index])}`).join(" ")} />
    ${points.map((lab, index) => mark(lab, x(time(lab.date)), y(values[index])))}
  </g>`;
}

/* A diamond is out of range, a disc is not: told apart without colour. */
function mark(lab, x, y) {
  const title = html`<title>${`${lab.title} ${lab.comparator}${lab.value} ${lab.unit}, ${lab.date}`}</title>`;
  return out(lab) ? html`<path class="point out" d="M${x} ${y - 6}l6 6-6 6-6-6z">${title}</path>` : html`<circle class="point" cx=${x} cy=${y} r="3.5">${title}</circle>`;
}

function course({ text, start, end }, top, x, now, from, right) {
  const begin = start ? x(time(start)) : x(from);
  const finish = end ? Math.min(x(time(end)), right) : right;
  const wide = Math.max(3, finish - begin);
  const [at, anchor] = place(text.length * 6.4 + 12, begin, finish, right);
  return html`<g class="course"><rect x=${begin} y=${top} width=${wide} height=${COURSE - 5} rx="3" />
    <text x=${at} y=${top + 12.5} text-anchor=${anchor} class="inside">${text}</text></g>`;
}

/* Where a text of this length goes: into its bar, beside it where there is room, or else over its end. */
function place(length, begin, finish, right) {
  if (finish - begin > length) return [begin + 6, "start"];
  if (begin > right / 2 && begin > length) return [begin - 5, "end"];
  if (right - finish > length) return [finish + 5, "start"];
  return begin > length ? [begin - 5, "end"] : [finish - 6, "end"];
}

function ticks(from, now) {
  const step = STEPS.find((days) => (now - from) / DAY / days <= 6) ?? 3652;
  const found = [];
  for (let at = now - step * DAY; at > from + (now - from) * 0.04; at -= step * DAY) found.push(at);
  return found;
}

function tickText(at, span) {
  const text = new Date(at).toISOString();
  return span > 120 * DAY ? text.slice(0, 7) : text.slice(5, 10);
}
