// Talks to the studio's JSON routes. Every failure becomes an Error whose message a person can read.

const TIMEOUT_MS = 20000;

function makeKey() {
  if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is missing outside https and localhost
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function address(path) {
  return new URL(path, document.baseURI).href;
}

async function ask(path, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  const options = { signal: stop.signal, headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
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
    throw new Error(why);
  } finally {
    clearTimeout(timer);
  }
  if (!answer.ok) throw new Error(said.detail || "The studio answered with an error (" + answer.status + ").");
  return said;
}
