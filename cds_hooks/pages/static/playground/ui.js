/* What every view needs: the template function, icons, and small helpers. */

import { h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { render };
export const html = htm.bind(h);

/* Where the service is below its host, if it is. */
export const ROOT = document.documentElement.dataset.root;

/* The page of a rule, test or source. */
export function knowledge(id, text) {
  return html`<a href=${`${ROOT}/knowledge/${encodeURIComponent(id).replaceAll("%3A", ":")}`}>${text}</a>`;
}

const SHAPES = {
  info: "M8 7.2v4.3M8 4.6v.1",
  warning: "M8 5.2v4M8 11.6v.1",
  critical: "M8 4.2v4.6M8 11.6v.1",
  good: "M4.6 8.3l2.3 2.3 4.5-5",
  none: "M4.8 8h6.4",
};
const FRAMES = {
  info: html`<circle cx="8" cy="8" r="7" />`,
  warning: html`<path d="M8 1.2 15.4 14.4H.6z" stroke-linejoin="round" />`,
  critical: html`<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />`,
  good: html`<circle cx="8" cy="8" r="7" />`,
  none: html`<circle cx="8" cy="8" r="7" />`,
};

/* A shape of its own per meaning, so that it can be told without colour. */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <g class="frame">${FRAMES[name]}</g><path class="sign" d=${SHAPES[name]} />
  </svg>`;
}

export const cross = html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
  <path class="line" d="M4 4l8 8M12 4l-8 8" />
</svg>`;

/* Also where the page has no secure origin (http on another machine). */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export function today() {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
}

/* The text with its dates kept on one line. */
export function dated(text) {
  return String(text).split(/(\d{4}-\d\d-\d\d)/).map((part, index) => (index % 2 ? html`<span class="date">${part}</span>` : part));
}

export function counted(number, one, several) {
  return `${number} ${number === 1 ? one : several}`;
}

/* The text on the clipboard, also without a secure origin. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
