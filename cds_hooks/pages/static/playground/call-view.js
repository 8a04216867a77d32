/* The call as it went over the wire, to copy. */

import { curl } from "./service.js";
import { copy, html } from "./ui.js";

export function callView(state, actions) {
  const { answer, service, sent } = state;
  if (!answer) return null;
  const parts = [
    ["request", "Request", JSON.stringify(sent, null, 2)],
    ["response", "Response", JSON.stringify(answer.cards.content, null, 2)],
    ["explanation", "Explanation", answer.explanation ? JSON.stringify(answer.explanation, null, 2) : ""],
    ["curl", "curl", curl(service, sent)],
  ];
  const [, title, text] = parts.find(([name]) => name === state.shown) ?? parts[0];
  return html`<section class="call panel stack" aria-labelledby="call-title">
    <div class="row apart">
      <div><h2 id="call-title">The call</h2><p class="soft fine"><code>POST /cds-services/${service.id}</code></p></div>
      <div class="row">
        <fieldset class="segments"><legend class="visually-hidden">Show</legend>
          ${parts.map(([name, label]) => html`<label><input type="radio" name="shown" value=${name} checked=${name === state.shown} onChange=${() => actions.show(name)} /><span>${label}</span></label>`)}
        </fieldset>
        <button type="button" class="small" onClick=${async () => { await copy(text); actions.say(`${title} copied.`, true); }}>${state.copied === `${title} copied.` ? "Copied" : "Copy"}</button>
      </div>
    </div>
    <pre tabindex="0" role="region" aria-label=${title} class="wire"><code>${text || "There is none: the call was refused."}</code></pre>
  </section>`;
}
