// "A or B?": shows two images of a prompt, takes which one is better, saves it, shows the next two. Which pair, which
// person stands here; all else has a module of its own, most of them shared with the pad of five aspects.

import { makeBoard } from "./board.js";
import { makeClock } from "./clock.js";
import { makeHelp } from "./dialogs.js";
import { makeFull } from "./full.js";
import { makeKeys } from "./keys.js";
import { OTHER_STUDIO, SIGNED_OUT, ask, askDesk, makeKey, query } from "./network.js";
import { openOutbox } from "./outbox.js";
import { makePlace } from "./page.js";
import { fullKeys, pairKeys } from "./pair_keys.js";
import { makeSides } from "./pair_sides.js";
import { makePerson } from "./person.js";
import { openShelf } from "./shelf.js";

const RETRY_MS = 3000;
const SAID = { left: "A", right: "B", tie: "a tie", skip: "skipped" };

export async function start(element, settings) {
  const root = element.querySelector(".pad");
  const find = (name) => root.querySelector(name);
  const ending = new AbortController();
  const words = { done: "judged", one: "choice", many: "choices", nothing: "Nothing to judge now" };
  const board = makeBoard(root, settings, words);
  const { say, message } = board;
  const clock = makeClock(ending.signal);
  const full = makeFull(root);
  const sides = makeSides(root, full, { onReady: () => clock.start(), onSettled: ready });
  const person = makePerson(root, settings, board, { begin, current: () => name, isRating });
  const choices = [...root.querySelectorAll("[data-choice]")];

  let shelf;
  let account = null; // who is signed in; null where people name themselves
  let name = "";
  let outbox = null;
  let pair = null; // what is on the stage: { left, right, prompt, why, current }
  let upcoming = []; // those after it
  let aside = null; // what was left to reopen an older pair: { pair, upcoming }
  let busy = false;
  let retry = null; // the timer that asks for the next pair again

  const view = {
    root, full, choose, skip, back, leave, openFull: sides.openFull, fullSide: () => sides.fullSide,
    openHelp: () => help(),
    isVisible: () => root.offsetParent !== null,
    isRating,
    isWaiting: () => busy,
  };
  view.fullKeys = fullKeys(view);
  const table = pairKeys(view);
  const keys = makeKeys(view, table);
  const help = makeHelp(root, table);

  function isRating() {
    return root.dataset.state === "rating";
  }

  // What is on the stage

  function present(next, after, text = "", kind = "") {
    if (board.isElsewhere()) return;
    pair = next;
    upcoming = after;
    const entering = !isRating();
    root.dataset.state = "rating";
    clock.reset();
    sides.show(pair, upcoming);
    const prompt = find(".pad-prompt-text");
    prompt.textContent = pair.prompt;
    prompt.tabIndex = prompt.scrollHeight > prompt.clientHeight ? 0 : -1; // a long one can be scrolled by key
    find(".pad-why").textContent = pair.current ? "" : pair.why;
    find(".pad-announce").textContent = "Two images. Prompt: " + pair.prompt;
    find(".pad-leave").hidden = !pair.current;
    for (const button of choices) button.setAttribute("aria-pressed", String(Boolean(pair.current) && pair.current.choice === button.dataset.choice));
    say(text, kind);
    ready();
    if (entering) place.fit();
    // Else the keys would go to the page's tabs. An open button would be pressed by Enter.
    if (view.isVisible() && !root.querySelector("dialog[open]")) find(".pad-look").focus({ preventScroll: true });
    if (window.innerWidth <= 920 && !entering) root.scrollIntoView({ block: "start" });
  }

  function ready() {
    for (const button of choices) button.setAttribute("aria-disabled", String(!sides.settled));
  }

  function showQueue(queue, text, kind) {
    board.signedOut("", outbox);
    board.progress({ ...queue.progress, rated: queue.progress.judged });
    place.fit();
    if (queue.pair) {
      present(queue.pair, queue.upcoming, text, kind);
      return;
    }
    pair = null;
    upcoming = [];
    const { judged } = queue.progress;
    if (judged) message("done", "All judged", "Thank you, " + name + ": you have judged all " + judged + " pairs there are for you. " + (settings.sample ? board.own : "They are in the project’s pairs.jsonl."));
    else message("done", words.nothing, "Either no prompt has two images yet, or every pair has as many votes as are wanted.");
  }

  // Saving

  async function once(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
    }
  }

  function choose(choice) {
    if (!pair || busy) return undefined;
    if (sides.broken) {
      say("An image can’t be shown, so they can’t be compared. Skip them.", "bad");
      return undefined;
    }
    return sides.settled ? once(() => deliver({ choice })) : undefined;
  }

  function skip() {
    return pair && !busy ? once(() => deliver({})) : undefined;
  }

  // Kept in this browser first: whatever happens now, the choice is not lost, and its key stores it once.
  async function deliver(choice) {
    say("Saving …");
    const said = {
      key: makeKey(), annotator: name, left: pair.left.image_id, right: pair.right.image_id, ...choice,
      seconds: clock.seconds(), revises: pair.current ? pair.current.key : null,
    };
    const item = outbox.put(said, pair);
    try {
      const answer = await outbox.deliver(item);
      const { judged, total } = answer.progress;
      const text = (choice.choice ? "Saved: " + SAID[choice.choice] + ". " : "Skipped. ") + judged + " of " + total + " judged.";
      if (aside) backToQueue(text, "good", answer);
      else showQueue(answer, text, "good");
      outbox.flush();
    } catch (error) {
      if (!("said" in error)) throw error;
      if (error.away) wait(error);
      else refuse(item, error);
    }
  }

  function wait(error) {
    outbox.later(error);
    const [next, ...rest] = upcoming;
    if (aside) backToQueue();
    else if (next) present(next, rest);
    else away(error);
  }

  function refuse(item, error) {
    outbox.take(item);
    if (error.said.current) present({ ...pair, current: error.said.current }, upcoming);
    say("Not saved: " + error.message, "bad");
  }

  function away(error) {
    pair = null;
    message("trouble", error.signIn ? "Sign in again" : "The next pair can’t be had", error.message, error);
    clearTimeout(retry);
    retry = setTimeout(() => root.isConnected && root.dataset.state === "trouble" && goOn(), RETRY_MS);
  }

  // A choice that waited is stored now.
  function sent(answer) {
    board.signedOut("", outbox);
    board.progress({ ...answer.progress, rated: answer.progress.judged });
    if (outbox.waiting().length) return; // the studio would hand out again what it doesn't have yet
    if (root.dataset.state === "trouble") goOn();
    else if (pair && !aside && upcoming.length === 0) {
      upcoming = [answer.pair, ...answer.upcoming].filter((next) => next && !isSame(next, pair)).slice(0, 2);
      sides.preload(upcoming);
    }
  }

  const isSame = (one, other) => one.left.image_id === other.left.image_id && one.right.image_id === other.right.image_id;

  // Going back to what was judged

  function back() {
    return once(async () => {
      const waiting = outbox.waiting().reverse(); // newer than anything stored
      const open = pair && pair.current;
      const at = open ? waiting.findIndex((item) => item.said.key === open.key) : -1;
      const older = open && at < 0 ? undefined : waiting[at + 1];
      if (older) {
        reopen({ ...older.task, current: { choice: "skip", ...older.said, created: new Date(older.order).toISOString() } });
        return;
      }
      try {
        const before = open && at < 0 ? open.id : undefined;
        const { pairs } = await ask("api/pairs" + query({ annotator: name, limit: 1, before }));
        if (pairs.length) reopen(pairs[0]);
        else if (pair) say(open ? "This is the first of your choices." : "You have judged nothing yet.");
      } catch (error) {
        say("Can’t go back: " + error.message, "bad");
      }
    });
  }

  function reopen(older) {
    if (!aside) aside = { pair, upcoming };
    const when = new Date(older.current.created).toLocaleString();
    present(older, aside.upcoming, "You said: " + SAID[older.current.choice] + " (" + when + "). Choosing makes a revision.");
  }

  function backToQueue(text, kind, queue) {
    const { pair: left, upcoming: after } = aside;
    aside = null;
    if (queue) board.progress({ ...queue.progress, rated: queue.progress.judged });
    if (left) present(left, after, text, kind);
    else goOn(text, kind);
  }

  function leave() {
    if (busy || !pair || !pair.current) return;
    if (aside) backToQueue("Left as it was.");
    else goOn("Left as it was.");
  }

  // Who judges

  // The next pair, once everything this browser still holds for the person is on the server.
  async function goOn(text, kind) {
    try {
      await outbox.sendOlder();
      showQueue(await ask("api/pairs/next" + query({ annotator: name })), text, kind);
    } catch (error) {
      if (!("said" in error)) throw error;
      if (error.away || account) {
        outbox.later(error);
        away(error);
      } else { // a name that can't be used here
        pair = null;
        person.askName(error.message);
      }
    }
    board.waiting(outbox);
  }

  async function begin(who) {
    if (outbox) outbox.close();
    name = who;
    person.show(name);
    pair = null;
    aside = null;
    outbox = openOutbox(shelf, name, {
      kind: "pairs",
      route: (said) => ("choice" in said ? "api/pairs" : "api/pairs/skip"),
      onChange: () => { board.waiting(outbox); find(".pad-discard").hidden = outbox.refused().length === 0; place.fit(); },
      onSent: sent,
    });
    await goOn();
    if (!account && root.dataset.state !== "trouble" && root.dataset.state !== "start") person.remember(name);
  }

  // Nobody is asked, and nothing loaded, before this view is seen.
  async function seen() {
    if (busy) return;
    if (!shelf) {
      const desk = await askDesk();
      shelf = openShelf(desk.studio);
      account = desk.account;
      if (account) person.showAccount(account.name);
    }
    if (account) {
      if (!name) begin(account.name);
    } else if (!name && !person.remembered()) person.askName();
    else if (!name || person.moved()) begin(person.remembered());
    else if (pair) find(".pad-look").focus({ preventScroll: true });
  }

  function enter() {
    seen().catch((error) => message("trouble", error.signIn ? "Sign in again" : "The studio can’t be reached", error.message, error));
  }

  // Events of the page

  for (const button of choices) button.addEventListener("click", () => choose(button.dataset.choice));
  find(".pad-skip").addEventListener("click", skip);
  find(".pad-leave").addEventListener("click", leave);
  find(".pair-back").addEventListener("click", back);
  find(".pad-open-help").addEventListener("click", help);
  find(".pad-send-now").addEventListener("click", () => outbox.flush());
  find(".pad-discard").addEventListener("click", () => outbox.refused().forEach((item) => outbox.take(item)));
  find(".pad-again").addEventListener("click", () => (name ? begin(name) : enter()));
  find(".pad-reload").addEventListener("click", () => location.reload());
  find(".pad-sample").hidden = !settings.sample;
  find(".pad-sample").title = "The sample project: pictures altered on purpose. " + board.own;
  const until = { signal: ending.signal };
  window.addEventListener(SIGNED_OUT, ({ detail }) => { board.signedOut(detail, outbox); place.fit(); }, until);
  window.addEventListener(OTHER_STUDIO, () => board.elsewhere(outbox), until);
  document.addEventListener("keydown", (event) => (root.isConnected ? keys.handle(event) : ending.abort()), { capture: true, ...until });
  const place = makePlace(root, element, ending.signal, enter);
  place.fit();
}
