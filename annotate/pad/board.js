// What the pad says in words: the status line, the progress, messages in place of an image, what waits to be sent.

// `done`, `one`, `many`: what a person does with an image here, and what comes of it.
export function makeBoard(root, settings, { done, one, many, nothing, list = "" }) {
  let out = "";
  const find = (name) => root.querySelector(name);

  function say(text, kind = "") {
    const status = find(".pad-status");
    status.textContent = text;
    status.className = "pad-status " + kind;
  }

  function message(kind, title, text, { signIn = false } = {}) {
    root.dataset.state = kind;
    find(".pad-message .pad-sign-in").hidden = !signIn;
    find(".pad-message-title").textContent = title;
    find(".pad-message-text").textContent = text;
    find(".pad-start").hidden = kind !== "start" && kind !== "done";
    find(".pad-start label").textContent = kind === "done" ? "Somebody else’s turn? Their name" : "Your name";
    if (kind === "done") find(".pad-start-name").value = "";
    find(".pad-again").hidden = kind !== "trouble" && title !== nothing;
    const mine = find(".pad-message .pad-open-mine");
    if (mine) mine.hidden = kind !== "done";
  }

  function progress({ rated, total, notices }) {
    const bar = find(".pad-bar");
    bar.firstElementChild.style.width = (total ? (100 * rated) / total : 0) + "%";
    bar.setAttribute("aria-valuemax", total);
    bar.setAttribute("aria-valuenow", rated);
    find(".pad-count").textContent = rated + " of " + total + " " + done;
    const list = find(".pad-notices");
    list.hidden = notices.length === 0;
    list.querySelector("summary").textContent =
      notices.length === 1 ? "A problem with the project’s files" : "Problems with the project’s files";
    list.querySelector("ul").replaceChildren(...notices.map((notice) => {
      const item = document.createElement("li");
      item.textContent = notice;
      return item;
    }));
  }

  // The answer to a request that somebody must sign in for; blank once one succeeds.
  function signedOut(words, outbox) {
    if (words === out) return;
    out = words;
    waiting(outbox);
  }

  function waiting(outbox) {
    const line = find(".pad-waiting");
    const waits = outbox ? outbox.waiting() : [];
    const refused = outbox ? outbox.refused() : [];
    line.hidden = waits.length + refused.length === 0 && !out;
    line.querySelector(".pad-sign-in").hidden = !out;
    line.querySelector(".pad-send-now").hidden = Boolean(out) || waits.length === 0;
    const words = out ? [out] : [];
    if (waits.length) {
      const lasting = outbox.lasts() ? "" : " Keep this page open: the browser refuses to keep them longer.";
      words.push(count(waits.length) + " not saved yet" + (out ? ". Kept in this browser and sent once you are signed in again." : ": " + outbox.why() + " Kept in this browser and sent as soon as it works.") + lasting);
    }
    if (refused.length) words.push(count(refused.length) + " refused" + list);
    find(".pad-waiting-text").textContent = words.join(" ");
  }

  const count = (number) => number + " " + (number === 1 ? one : many);
  const own = "Your own " + many + " are in " + settings.own + ", apart from the simulated ones.";
  return { say, message, progress, waiting, signedOut, own, many };
}
