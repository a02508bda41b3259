// What is said, on its way: each piece is kept in this browser before it is sent, until the studio says that it is stored.
// They belong to one person; what another one left waiting is neither shown nor sent.

import { ask } from "./network.js";

const PAUSES_MS = [1000, 2000, 5000, 10000, 20000];

// `kind` tells one page's pieces from another's; route(said) is where a piece goes.
export function openOutbox(shelf, person, { kind = "outbox", route = () => "api/ratings", onChange, onSent }) {
  const folder = kind + "/" + encodeURIComponent(person) + "/";
  const sending = new Map(); // key -> the request under way
  let last = 0;
  let failures = 0;
  let timer = null;
  let why = "";
  let closed = false;

  const nameOf = (item) => folder + String(item.order).padStart(16, "0") + "-" + item.said.key;
  const items = () => shelf.names(folder).map((name) => shelf.get(name)).filter(Boolean);

  function put(said, task) {
    last = Math.max(last + 1, Date.now()); // two saves of one millisecond keep their order
    const item = { order: last, said, task, refused: "" };
    shelf.put(nameOf(item), item);
    return item;
  }

  function take(item) {
    shelf.remove(nameOf(item));
    onChange();
  }

  // The studio's answer once it is stored; an Error (see ask) where it isn't. Refused ones are no longer kept.
  function send(item) {
    if (!sending.has(item.said.key)) {
      const request = ask(route(item.said), item.said).finally(() => sending.delete(item.said.key));
      sending.set(item.said.key, request);
    }
    return sending.get(item.said.key).then((answer) => {
      failures = 0;
      take(item);
      return answer;
    });
  }

  // Sends those that wait, oldest first, so that a revision comes after what it revises; throws where the studio is away.
  async function sendOlder(than = Infinity) {
    for (const item of items().filter((one) => !one.refused && one.order < than)) {
      try {
        const answer = await send(item);
        if (closed) return;
        onSent(answer, item);
      } catch (error) {
        if (error.away || !error.said) throw error;
        shelf.put(nameOf(item), { ...item, refused: error.message, current: error.said.current || null });
      }
    }
  }

  // Sends what waits, and again later where the studio is away.
  async function flush() {
    clearTimeout(timer);
    if (closed) return;
    try {
      await sendOlder();
    } catch (error) {
      if (!error.away) throw error;
      later(error);
    }
    onChange();
  }

  function later(error) {
    why = error.message;
    clearTimeout(timer);
    if (!closed) timer = setTimeout(flush, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
    failures += 1;
    onChange();
  }

  const online = () => flush();
  window.addEventListener("online", online);

  return {
    put, take, flush, later, items, sendOlder,
    async deliver(item) {
      await sendOlder(item.order);
      return send(item);
    },
    lasts: () => items().every((item) => shelf.lasts(nameOf(item))),
    waiting: () => items().filter((item) => !item.refused),
    refused: () => items().filter((item) => item.refused),
    why: () => why,
    close() {
      closed = true;
      clearTimeout(timer);
      window.removeEventListener("online", online);
    },
  };
}
