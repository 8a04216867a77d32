/* The Markdown of a card as elements. markdown-it reads it, HTML switched off; nothing is ever parsed as HTML. */

import MarkdownIt from "../vendor/markdown-it.js";
import { dated, html } from "./ui.js";
import { h } from "../vendor/preact.js";

const reader = new MarkdownIt("default", { html: false, linkify: false });
const TAGS = new Set(["p", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"]);
const HEADING = /^h[1-6]$/;

export function markdown(text) {
  return children(reader.parse(text, {}));
}

function children(tokens) {
  const root = [];
  const open = [root];
  const add = (element) => open[open.length - 1].push(element);
  const tags = [];
  for (const token of tokens) {
    if (token.hidden) continue;
    if (token.nesting === 1) {
      tags.push(token);
      open.push([]);
    } else if (token.nesting === -1) {
      const inside = open.pop();
      add(element(tags.pop(), inside));
    } else if (token.type === "inline") {
      open[open.length - 1].push(...children(token.children));
    } else if (token.type === "softbreak") {
      add(" ");
    } else if (token.type === "hardbreak" || token.type === "hr") {
      add(h(token.tag));
    } else if (token.type === "code_inline") {
      add(html`<code>${token.content}</code>`);
    } else if (token.type === "fence" || token.type === "code_block") {
      add(html`<pre tabindex="0"><code>${token.content}</code></pre>`);
    } else {
      add(dated(token.content));
    }
  }
  return root;
}

function element(token, inside) {
  if (token.tag === "a") {
    const address = token.attrGet("href") ?? "";
    return /^https?:/.test(address) ? html`<a href=${address} rel="noopener noreferrer" target="_blank">${inside}</a>` : html`<span>${inside}</span>`;
  }
  if (HEADING.test(token.tag)) return html`<p><strong>${inside}</strong></p>`;
  const start = token.tag === "ol" ? { start: token.attrGet("start") ?? undefined } : null;
  return TAGS.has(token.tag) ? h(token.tag, start, inside) : html`<span>${inside}</span>`;
}
