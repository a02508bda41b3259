// The rating pad: shows an image, takes five ratings, saves them, shows the next. Which image, which person, which
// rating is open stands here; all else has a module of its own.

import { makeAids } from "./aids.js";
import { makeBoard } from "./board.js";
import { makeClock } from "./clock.js";
import { makeGuidelines, makeHelp, makeSkipDialog } from "./dialogs.js";
import { openDrafts } from "./drafts.js";
import { makeFull } from "./full.js";
import { makeHeads } from "./heads.js";
import { key, makeKeys } from "./keys.js";
import { makeMine } from "./mine.js";
import { OTHER_STUDIO, SIGNED_OUT, ask, askDesk, makeKey, query } from "./network.js";
import { openOutbox } from "./outbox.js";
import { makePlace } from "./page.js";
import { makePerson } from "./person.js";
import { ratingKeys } from "./rating_keys.js";
import { openShelf, pageName } from "./shelf.js";
import { makeStage } from "./stage.js";
import { makeStrip } from "./strip.js";

const RETRY_MS = 3000;
const NO_IMAGES = "Images go into images/<prompt_id>/ of the data folder, or come by Project, Import. Project, Overview looks for new ones.";

export async function start(element, settings) {
  const root = element.querySelector(".pad");
  const find = (name) => root.querySelector(name);
  const ending = new AbortController();
  const saveButton = find(".pad-actions .pad-save");
  const words = { done: "rated", one: "rating", many: "ratings", nothing: "Nothing to rate now", list: "; see My ratings." };
  const board = makeBoard(root, settings, words);
  const clock = makeClock(ending.signal);
  const heads = makeHeads(root, settings, touched);
  const full = makeFull(root);
  const stage = makeStage(root, full, "Image to rate", shown);
  const aids = makeAids(root, stage);
  const mine = makeMine(root, settings, { person: () => name, outbox: () => outbox, open: reopen, reopenWaiting });
  const strip = makeStrip(root, settings, { person: () => name, open: (older) => busy || reopen(older) });
  const guidelines = makeGuidelines(root);
  const person = makePerson(root, settings, board, { begin, current: () => name, isRating });

  const tab = pageName(makeKey);
  let shelf;
  let account = null; // who is signed in; null where the studio has no accounts and people name themselves
  let name = "";
  let outbox = null;
  let drafts = null;
  let task = null; // the image on the stage: { image_id, url, prompt, draft, current, … }
  let upcoming = []; // those after it
  let begun = null; // what was touched of it before it came here, say before a reload
  let aside = null; // what was left to reopen another rating: { task, upcoming, said }
  let busy = false;
  let retry = null; // the timer that asks for the next image again
  const { say, message } = board;

  const pad = {
    root, heads, aids, save, back, leave, rateAndMove, cannotAndMove, askSkip, step: settings.step,
    full, fullKeys: [{ when: key("f"), run: full.close }], openFull: stage.openFull, openHelp: () => help(), openGuidelines: guidelines.show,
    isVisible: () => root.offsetParent !== null,
    isRating,
    isWaiting: () => busy || (isRating() && !stage.loaded && !stage.broken),
  };
  const table = ratingKeys(pad);
  const keys = makeKeys(pad, table);
  const help = makeHelp(root, table);
  const openSkip = makeSkipDialog(root, skip);

  function isRating() {
    return root.dataset.state === "rating";
  }

  // What is on the stage

  function present(next, after, words = "", kind = "") {
    if (board.isElsewhere()) return;
    task = next;
    upcoming = after;
    const entering = root.dataset.state !== "rating";
    root.dataset.state = "rating";
    clock.reset();
    heads.reset();
    begun = drafts.unsent(task.image_id) || task.draft;
    if (begun || task.current) heads.set(begun || task.current);
    const prompt = find(".pad-prompt-text");
    prompt.textContent = task.prompt;
    prompt.tabIndex = prompt.scrollHeight > prompt.clientHeight ? 0 : -1; // a long one can be scrolled by key
    aids.reset();
    strip.clear();
    stage.show(task, upcoming);
    find(".pad-why").textContent = task.current ? "" : task.why;
    find(".pad-announce").textContent = "Image to rate. Prompt: " + task.prompt;
    say(words || (begun ? "What you had begun here is back." : ""), kind);
    find(".pad-leave").hidden = !task.current;
    find(".pad-skip").hidden = Boolean(task.current);
    saveButton.textContent = task.current ? "Save change" : "Save & next";
    ready();
    if (entering) place.fit();
    if (window.innerWidth <= 920 && !entering) root.scrollIntoView({ block: "start" });
    else heads.select(Math.max(0, heads.firstMissing()));
  }

  function shown(fine) {
    clock.start((begun && begun.seconds) || 0);
    strip.show(task);
    if (fine) keys.catchUp();
    else keys.forget();
    ready();
  }

  function showQueue(queue, words, kind) {
    board.signedOut("", outbox);
    board.progress(queue.progress);
    place.fit();
    if (queue.image) {
      present(queue.image, queue.upcoming, words, kind);
      return;
    }
    task = null;
    upcoming = [];
    keys.forget();
    const { rated, total } = queue.progress;
    if (total === 0) message("empty", queue.progress.notices.length ? "No images that can be shown" : "No images yet", NO_IMAGES);
    else if (rated < total) message("done", "Nothing to rate now", "Every image has as many ratings as are wanted, or is with somebody at the moment.");
    else message("done", "All rated", "Thank you, " + name + ": you have rated all " + total + " images. " + (settings.sample ? board.own : "The ratings are in the project’s CSV files."));
  }

  function ready() {
    const missing = heads.missing();
    saveButton.setAttribute("aria-disabled", String(missing.length > 0 || !stage.loaded));
    saveButton.title = missing.length ? "Not rated yet: " + missing.join(", ") : "";
  }

  function touched() {
    ready();
    if (find(".pad-status").classList.contains("bad")) say("");
    if (task) drafts.keep({ image_id: task.image_id, ...said() });
  }

  // What the person says of it, and which of their ratings it revises.
  function said() {
    return { ...heads.said(), seconds: clock.seconds(), revises: task.current ? task.current.key : null };
  }

  function rateAndMove(value) {
    const head = heads.current;
    heads.rate(head, value);
    heads.select(head + 1);
  }

  function cannotAndMove() {
    const head = heads.current;
    heads.cannot(head);
    heads.select(head + 1);
  }

  // Saving

  async function once(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
      if (stage.loaded) keys.catchUp();
    }
  }

  function save() {
    if (!task || busy) return undefined;
    if (!stage.loaded) {
      say(stage.broken ? "This image can’t be shown, so it can’t be rated. Skip it." : "The image is not loaded yet.", "bad");
      return undefined;
    }
    const missing = heads.missing();
    if (missing.length) {
      heads.showMissing();
      say("Not rated yet: " + missing.join(", ") + ". Rate each or mark “Can’t judge”.", "bad");
      return undefined;
    }
    return once(async () => {
      say("Saving …");
      // Kept in this browser first: whatever happens now, the rating is not lost, and its key stores it once.
      const item = outbox.put({ key: makeKey(), annotator: name, tab, image_id: task.image_id, ...said() }, task);
      try {
        const answer = await outbox.deliver(item);
        drafts.forget(task.image_id);
        const words = "Saved. " + answer.progress.rated + " of " + answer.progress.total + " rated.";
        if (aside) backToQueue(words, "good", answer);
        else showQueue(answer, words, "good");
        outbox.flush();
      } catch (error) {
        if (!("said" in error)) throw error;
        if (error.away) wait(error);
        else refuse(item, error);
      }
    });
  }

  function wait(error) {
    drafts.forget(task.image_id);
    outbox.later(error);
    const [next, ...rest] = upcoming;
    if (aside) backToQueue();
    else if (next) present(next, rest);
    else away(error);
  }

  function refuse(item, error) {
    outbox.take(item); // its values are on the page
    keys.forget();
    if (error.said.current) task.current = error.said.current;
    drafts.keep({ image_id: task.image_id, ...said() });
    say("Not saved: " + error.message + " Your ratings are still here.", "bad");
  }

  function away(error) {
    task = null;
    message("trouble", error.signIn ? "Sign in again" : "The next image can’t be had", error.message, error);
    clearTimeout(retry);
    retry = setTimeout(() => root.isConnected && root.dataset.state === "trouble" && goOn(), RETRY_MS);
  }

  // A rating that waited is stored now.
  function sent(answer, item) {
    board.signedOut("", outbox);
    board.progress(answer.progress);
    if (task && task.current && task.current.key === item.said.key) task.current.id = answer.saved.id;
    if (outbox.waiting().length) return; // the studio would hand out again what it doesn't have yet
    if (task && stage.loaded) strip.show(task); // it couldn't be had while the studio was away
    if (root.dataset.state === "trouble") goOn();
    else if (task && upcoming.length === 0) refill();
  }

  async function refill() {
    try {
      const queue = await ask("api/next" + query({ annotator: name, tab, after: task.image_id, look: true }));
      upcoming = [queue.image, ...queue.upcoming].filter((next) => next && next.image_id !== task.image_id).slice(0, 2);
      stage.preload(upcoming);
    } catch { /* the next save asks again */ }
  }

  function askSkip() {
    if (task && !task.current && !busy) openSkip();
  }

  function skip(reason) {
    return once(async () => {
      try {
        await drafts.flush(); // it comes again with what is touched of it
        showQueue(await ask("api/skip", { annotator: name, tab, image_id: task.image_id, reason }), "Skipped; it comes again at the end.");
      } catch (error) {
        say("Not skipped: " + error.message, "bad");
      }
    });
  }

  // Going back to what was rated

  function reopen(older) {
    if (!aside) aside = task ? { task, upcoming, said: heads.untouched() ? null : said() } : { task: null };
    const when = new Date(older.current.created).toLocaleString();
    present({ ...older }, aside.upcoming || [], "You rated this one (" + when + "). Saving makes a revision.");
  }

  function reopenWaiting(item) {
    if (item.refused) outbox.take(item); // what was refused is on the page again, to be mended
    const current = item.refused ? item.current || null : { ...item.said, created: new Date(item.order).toISOString() };
    if (current) reopen({ ...item.task, draft: item.refused ? item.said : null, current });
    else present({ ...item.task, draft: item.said, current: null }, upcoming, "This rating was refused: " + item.refused, "bad");
  }

  function back() {
    return once(async () => {
      const waiting = outbox.waiting().reverse(); // newer than anything stored
      const open = task && task.current;
      const at = open ? waiting.findIndex((item) => item.said.key === open.key) : -1;
      const older = open && at < 0 ? undefined : waiting[at + 1];
      if (older) {
        reopenWaiting(older);
        return;
      }
      try {
        const before = open && at < 0 ? open.key : undefined;
        const { ratings } = await ask("api/ratings/last" + query({ annotator: name, before }));
        if (ratings.length) reopen({ ...ratings[0].image, draft: null, current: ratings[0].current });
        else if (task) say(open ? "This is the first of your ratings." : "You have rated nothing yet.");
      } catch (error) {
        say("Can’t go back: " + error.message, "bad");
      }
    });
  }

  function backToQueue(words, kind, queue) {
    const { task: left, upcoming: after, said: draft } = aside;
    aside = null;
    if (queue) board.progress(queue.progress);
    if (left) present({ ...left, draft }, after, words, kind);
    else goOn(words, kind);
  }

  function leave() {
    if (busy || !task || !task.current) return;
    drafts.forget(task.image_id);
    drafts.keep({ image_id: task.image_id, ratings: {}, cannot_judge: [], revises: task.current.key });
    if (aside) backToQueue("Left as it was.");
    else goOn("Left as it was.");
  }

  // Who rates

  // The next image, once everything this browser still holds for the person is on the server.
  async function goOn(words, kind) {
    try {
      await outbox.sendOlder();
      await drafts.flush();
      showQueue(await ask("api/next" + query({ annotator: name, tab })), words, kind);
    } catch (error) {
      if (!("said" in error)) throw error;
      if (error.away || account) {
        outbox.later(error);
        away(error);
      } else { // a name that can't be used here
        task = null;
        person.askName(error.message);
      }
    }
    board.waiting(outbox);
  }

  async function begin(who) {
    if (drafts) await drafts.flush();
    if (outbox) {
      outbox.close();
      ask("api/leave", { annotator: name, tab }).catch(() => {});
    }
    name = who;
    person.show(name);
    task = null;
    aside = null;
    keys.forget();
    drafts = openDrafts(shelf, name);
    outbox = openOutbox(shelf, name, { onChange: () => { board.waiting(outbox); place.fit(); }, onSent: sent });
    await goOn();
    if (!account && root.dataset.state !== "trouble" && root.dataset.state !== "start") person.remember(name);
  }

  // Events of the page

  // Another view of the page may go under another name by now.
  const place = makePlace(root, element, ending.signal, () => shelf && !account && !busy && person.moved() && begin(person.remembered()));
  const until = { signal: ending.signal };
  document.addEventListener("keydown", (event) => (root.isConnected ? keys.handle(event) : ending.abort()), { capture: true, ...until });
  window.addEventListener("pagehide", () => {
    if (!drafts) return;
    drafts.flush({ keepalive: true });
    ask("api/leave", { annotator: name, tab }, { keepalive: true }).catch(() => {}); // else the lease ends by itself
  }, until);
  window.addEventListener(SIGNED_OUT, ({ detail }) => { board.signedOut(detail, outbox); place.fit(); }, until);
  window.addEventListener(OTHER_STUDIO, () => { keys.forget(); board.elsewhere(outbox); }, until);
  saveButton.addEventListener("click", save);
  find(".pad-skip").addEventListener("click", askSkip);
  find(".pad-open-full").addEventListener("click", stage.openFull);
  find(".pad-open-help").addEventListener("click", help);
  find(".pad-leave").addEventListener("click", leave);
  find(".pad-send-now").addEventListener("click", () => outbox.flush());
  for (const button of root.querySelectorAll(".pad-open-mine")) button.addEventListener("click", mine.show);
  find(".pad-again").addEventListener("click", () => begin(name));
  find(".pad-reload").addEventListener("click", () => location.reload());
  full.onClose(() => heads.select(heads.current));

  find(".pad-sample").hidden = !settings.sample;
  find(".pad-sample").title = "The sample project: pictures altered on purpose, rated by simulated people. " + board.own;
  heads.reset();
  place.fit();
  const desk = await askDesk();
  shelf = openShelf(desk.studio);
  if (desk.strip) strip.switchOn();
  if (desk.guidelines) guidelines.switchOn();
  account = desk.account;
  if (account) {
    person.showAccount(account.name);
    begin(account.name);
  } else if (person.remembered()) begin(person.remembered());
  else person.askName();
}
