// Talks to the studio's JSON routes. Every failure becomes an Error whose message a person can read.

export const SIGNED_OUT = "reward-studio-signed-out";
export const OTHER_STUDIO = "reward-studio-other-studio";
const TIMEOUT_MS = 10000;
let studio = ""; // which project this page is of, for all its views; blank until it is known
let other = ""; // what was answered once another project had taken its place

export function makeKey() {
  if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is missing outside https and localhost
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function address(path) {
  return new URL(path, document.baseURI).href;
}

// A picture's address. No header goes with it, so it says itself of which project it is.
export function imageAddress(path) {
  const found = new URL(address(path));
  found.searchParams.set("studio", studio);
  return found.href;
}

export function query(values) {
  return "?" + new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}

// The answer, or an Error: `away` where the same request may succeed later, `signIn` where it may once the right person
// is signed in, `said` with what the studio answered. Whoever asked, the page learns by SIGNED_OUT that somebody must, and
// by OTHER_STUDIO that another project is served by now. From then on nothing is sent: image numbers mean others there.
export async function ask(path, body, { method = "POST", keepalive = false } = {}) {
  if (other) throw elsewhere();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  const options = { signal: stop.signal, headers: { Accept: "application/json" }, cache: "no-store", keepalive };
  if (studio) options.headers["X-Studio"] = studio;
  if (body !== undefined) {
    options.method = method;
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  let said;
  try {
    answer = await fetch(address(path), options);
    said = await answer.json().catch(() => ({}));
  } catch (error) {
    const why = error.name === "AbortError" ? "The studio does not answer." : "The studio can’t be reached.";
    throw Object.assign(new Error(why), { away: true, said: {} });
  } finally {
    clearTimeout(timer);
  }
  if (answer.ok) return said;
  if (answer.status === 412) {
    other = said.detail || "Another project is served here now.";
    throw elsewhere();
  }
  if (said.sign_in) window.dispatchEvent(new CustomEvent(SIGNED_OUT, { detail: said.detail }));
  const why = said.detail || "The studio answered with an error (" + answer.status + ").";
  throw Object.assign(new Error(why), { away: answer.status >= 500 || said.sign_in === true, signIn: said.sign_in === true, said });
}

// As if the studio were away, so that what was to be sent is kept.
function elsewhere() {
  window.dispatchEvent(new CustomEvent(OTHER_STUDIO));
  return Object.assign(new Error(other), { away: true, said: {} });
}

// Which project is served, and who is signed in. The first answer says which one this page is of.
export async function askDesk() {
  const desk = await ask("api/desk");
  studio ||= desk.studio;
  return desk.studio === studio ? desk : ask("api/desk"); // which is refused, now that the page says what it is of
}
