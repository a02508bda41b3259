// Talks to the studio's JSON routes. Every failure becomes an Error whose message a person can read.

export const SIGNED_OUT = "reward-studio-signed-out";
const TIMEOUT_MS = 10000;

export function makeKey() {
  if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is missing outside https and localhost
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function address(path) {
  return new URL(path, document.baseURI).href;
}

export function query(values) {
  return "?" + new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}

// The answer, or an Error: `away` where the same request may succeed later, `signIn` where it may once the right person
// is signed in, `said` with what the studio answered. Whoever asked, the page learns by SIGNED_OUT that somebody must.
export async function ask(path, body, { method = "POST", keepalive = false } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  const options = { signal: stop.signal, headers: { Accept: "application/json" }, cache: "no-store", keepalive };
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
  if (said.sign_in) window.dispatchEvent(new CustomEvent(SIGNED_OUT, { detail: said.detail }));
  const why = said.detail || "The studio answered with an error (" + answer.status + ").";
  throw Object.assign(new Error(why), { away: answer.status >= 500 || said.sign_in === true, signIn: said.sign_in === true, said });
}
