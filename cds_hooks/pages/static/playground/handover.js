/* Between playground and history form: kept by this browser tab alone, and gone when it is read. */

const RECORD = "twitching-cds-record";
const ANSWERS = "twitching-cds-answers";

function take(name) {
  const text = sessionStorage.getItem(name);
  sessionStorage.removeItem(name);
  return text && JSON.parse(text);
}

export function keep(request, situation) {
  try {
    sessionStorage.setItem(RECORD, JSON.stringify({ request, situation }));
  } catch {
    sessionStorage.removeItem(RECORD); // too large for the browser: the form is used on its own
  }
}

export function restored() {
  return take(RECORD);
}

/* Whose record waits in the playground; it stays there. */
export function waiting() {
  const text = sessionStorage.getItem(RECORD);
  return text && JSON.parse(text).request.context;
}

export function handAnswers(response) {
  sessionStorage.setItem(ANSWERS, JSON.stringify(response));
}

export function answersFromForm() {
  return take(ANSWERS);
}
