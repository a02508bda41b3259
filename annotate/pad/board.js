// What the pad says in words: the status line, the progress, messages in place of an image, what waits to be sent.

const ELSEWHERE = "elsewhere"; // a view's state for good, until the page is loaded again

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
    if (isElsewhere()) return;
    root.dataset.state = kind;
    find(".pad-message .pad-sign-in").hidden = !signIn;
    find(".pad-message-title").textContent = title;
    find(".pad-message-text").textContent = text;
    find(".pad-start").hidden = kind !== "start" && kind !== "done";
    find(".pad-start label").textContent = kind === "done" ? "Somebody else’s turn? Their name" : "Your name";
    if (kind === "done") find(".pad-start-name").value = "";
    find(".pad-again").hidden = kind !== "trouble" && title !== nothing;
    find(".pad-reload").hidden = kind !== ELSEWHERE;
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

  // Another project has taken the place of this page's: the last thing that the view says.
  function elsewhere(outbox) {
    const held = outbox ? outbox.items().length : 0;
    const fate = held && outbox.lasts() ? ": kept in this browser, and sent once that project is served here again." : ", which a reload loses: the browser refuses to keep more.";
    const words = "This page is of the project that was served before, so nothing more is sent from it." + (held ? " " + count(held) + " not saved yet" + fate : "");
    for (const dialog of root.querySelectorAll("dialog[open]")) dialog.close();
    message(ELSEWHERE, "Another project is served here now", words);
    find(".pad-announce").textContent = "Another project is served here now. " + words;
  }

  const isElsewhere = () => root.dataset.state === ELSEWHERE;
  const count = (number) => number + " " + (number === 1 ? one : many);
  const own = "Your own " + many + " are in " + settings.own + ", apart from the simulated ones.";
  return { say, message, progress, waiting, signedOut, elsewhere, isElsewhere, own, many };
}
