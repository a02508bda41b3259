// What is touched but not saved: kept in this browser at once, and on the server a moment later.

import { ask } from "./network.js";

const DELAY_MS = 300;

export function openDrafts(shelf, person) {
  const folder = "draft/" + encodeURIComponent(person) + "/";
  let timer = null;

  async function send(name, keepalive) {
    const draft = shelf.get(name);
    if (draft === null) return;
    try {
      await ask("api/drafts", { ...draft, annotator: person }, { method: "PUT", keepalive });
    } catch (error) {
      if (error.away) return; // kept here until the studio is back
    }
    // On the server now, or superseded there; what was touched meanwhile is still to be sent.
    if (JSON.stringify(shelf.get(name)) === JSON.stringify(draft)) shelf.remove(name);
  }

  function flush({ keepalive = false } = {}) {
    clearTimeout(timer);
    return Promise.all(shelf.names(folder).map((name) => send(name, keepalive)));
  }

  return {
    flush,
    keep(draft) { // { image_id, ratings, cannot_judge, seconds, revises }
      shelf.put(folder + draft.image_id, draft);
      clearTimeout(timer);
      timer = setTimeout(flush, DELAY_MS);
    },
    unsent: (imageId) => shelf.get(folder + imageId),
    forget(imageId) {
      shelf.remove(folder + imageId);
    },
  };
}
