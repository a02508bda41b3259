// The rating pad: shows an image, takes five ratings, saves them, shows the next. State lives here and in the database.

const root = element.querySelector(".pad");
const settings = props.settings;
const find = (name) => root.querySelector(name);
const stage = find(".pad-stage");
const full = find(".pad-full");
const nameField = find(".pad-name");
const saveButton = find(".pad-actions .pad-save");
const ownWords = "Your own ratings are in " + settings.own + ", apart from the simulated ones.";
const NAME_KEY = "reward-studio-annotator";

const state = { name: "", task: null, loaded: false, busy: false, key: "", tried: "", spent: 0, since: null };
const preloaded = new Map(); // url -> { image, works }, of the shown one and the next
const heads = makeHeads(root, settings, afterChange);

function remembered() {
  try { return localStorage.getItem(NAME_KEY) || ""; } catch { return ""; }
}
function remember(name) {
  try { localStorage.setItem(NAME_KEY, name); } catch { /* private windows may refuse; the name is only asked again */ }
}

// What the page says

function say(text, kind = "") {
  const status = find(".pad-status");
  status.textContent = text;
  status.className = "pad-status " + kind;
}

function message(kind, title, text) {
  root.dataset.state = kind;
  find(".pad-message-title").textContent = title;
  find(".pad-message-text").textContent = text;
  find(".pad-start").hidden = kind !== "start" && kind !== "done";
  find(".pad-start label").textContent = kind === "done" ? "Somebody else’s turn? Their name" : "Your name";
  if (kind === "done") find(".pad-start-name").value = "";
  find(".pad-again").hidden = kind !== "trouble";
}

function showProgress(progress) {
  const bar = find(".pad-bar");
  const share = progress.total ? progress.rated / progress.total : 0;
  bar.firstElementChild.style.width = 100 * share + "%";
  bar.setAttribute("aria-valuemax", progress.total);
  bar.setAttribute("aria-valuenow", progress.rated);
  find(".pad-count").textContent = progress.rated + " of " + progress.total + " rated";
  const notices = find(".pad-notices");
  notices.hidden = progress.notices.length === 0;
  notices.querySelector("summary").textContent =
    progress.notices.length === 1 ? "A problem with the project’s files" : "Problems with the project’s files";
  notices.querySelector("ul").replaceChildren(...progress.notices.map((notice) => {
    const item = document.createElement("li");
    item.textContent = notice;
    return item;
  }));
  fit();
}

// Images: each address has an element of its own, so that the next one is loaded and decoded before it is needed

function picture(task) {
  if (!preloaded.has(task.url)) {
    const image = new Image();
    image.src = address(task.url);
    // decode() also tells a file that ends too early, which the load event takes for whole.
    preloaded.set(task.url, { image, works: image.decode().then(() => true, () => false) });
  }
  return preloaded.get(task.url);
}

function putOnStage(task, upcoming) {
  const { image, works } = picture(task);
  image.alt = "Image to rate for the prompt: " + task.prompt;
  for (const url of preloaded.keys()) if (url !== task.url) preloaded.delete(url);
  state.loaded = false;
  stage.style.setProperty("--ratio", task.width + " / " + task.height);
  stage.classList.remove("broken");
  stage.classList.toggle("loading", !image.complete);
  stage.replaceChildren(image);
  works.then((fine) => {
    if (state.task !== task) return;
    stage.classList.remove("loading");
    stage.classList.toggle("broken", !fine);
    if (!fine) preloaded.delete(task.url); // the file may be mended by the time it comes again
    state.loaded = fine;
    state.spent = 0;
    state.since = document.hidden ? null : performance.now();
    if (upcoming) picture(upcoming);
    afterChange();
  });
}

function show(queue, words, kind) {
  showProgress(queue.progress);
  state.task = queue.image;
  state.key = "";
  state.tried = "";
  if (!queue.image) {
    if (queue.progress.total === 0) message("empty", "No images yet", "Put images into images/<prompt_id>/ of the data folder and start the studio again.");
    else message("done", "All rated", "Thank you, " + state.name + ": you have rated all " + queue.progress.total + " images. " + (settings.sample ? ownWords : "The ratings are in the project’s CSV files."));
    return;
  }
  const entering = root.dataset.state !== "rating";
  root.dataset.state = "rating";
  heads.reset();
  find(".pad-prompt-text").textContent = queue.image.prompt;
  putOnStage(queue.image, queue.upcoming);
  say(words || "", kind);
  saveButton.textContent = "Save & next";
  if (entering) fit();
  if (window.innerWidth <= 920 && !entering) root.scrollIntoView({ block: "start" });
  else heads.select(0);
}

// Rating and saving

function afterChange() {
  const ready = heads.missing().length === 0 && state.loaded;
  saveButton.setAttribute("aria-disabled", String(!ready));
  if (find(".pad-status").classList.contains("bad") && !state.tried) say("");
}

function secondsSpent() {
  const running = state.since === null ? 0 : performance.now() - state.since;
  return Math.round(state.spent + running) / 1000;
}

async function once(work) {
  if (state.busy || !state.task) return;
  state.busy = true;
  try {
    await work();
  } finally {
    state.busy = false;
  }
}

function save() {
  return once(async () => {
    const missing = heads.missing();
    if (missing.length) {
      heads.showMissing();
      say("Not rated yet: " + missing.join(", ") + ". Rate each or mark “Can’t judge”.", "bad");
      return;
    }
    if (!state.loaded) {
      say(stage.classList.contains("broken") ? "This image can’t be shown, so it can’t be rated. Skip it." : "The image is not loaded yet.", "bad");
      return;
    }
    const said = { annotator: state.name, image_id: state.task.image_id, ratings: heads.ratings(), cannot_judge: heads.cannotJudge() };
    const content = JSON.stringify(said);
    // The same rating sent again keeps its key, so that it is stored once; a changed one is another rating.
    if (content !== state.tried) state.key = makeKey();
    state.tried = content;
    say("Saving …");
    try {
      const answer = await ask("api/ratings", { ...said, key: state.key, seconds: secondsSpent() });
      show(answer, "Saved. " + answer.progress.rated + " of " + answer.progress.total + " rated.", "good");
    } catch (error) {
      say("Not saved: " + error.message + " Your ratings are still here.", "bad");
      saveButton.textContent = "Retry save";
    }
  });
}

function skip() {
  return once(async () => {
    try {
      show(await ask("api/skip", { annotator: state.name, image_id: state.task.image_id }), "Skipped; it comes again at the end.");
    } catch (error) {
      say("Not skipped: " + error.message, "bad");
    }
  });
}

function rateAndMove(value) {
  const head = heads.current;
  heads.rate(head, value);
  heads.select(head + 1);
}

// Who rates

async function begin(name) {
  state.name = name;
  nameField.value = name;
  state.task = null;
  try {
    show(await ask("api/next?annotator=" + encodeURIComponent(name)));
    remember(name);
  } catch (error) {
    message("trouble", "The next image can’t be had", error.message);
  }
}

function start() {
  const name = remembered();
  if (name) {
    begin(name);
    return;
  }
  message("start", "Who is rating?", "Your name is stored with each of your ratings, so that several people’s can be told apart." + (settings.sample ? " This is the sample. " + ownWords : ""));
  if (root.offsetParent !== null) find(".pad-start-name").focus({ preventScroll: true });
}

find(".pad-start").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = find(".pad-start-name").value.trim();
  const problem = find(".pad-start-problem");
  problem.textContent = "";
  try {
    await ask("api/progress?annotator=" + encodeURIComponent(name));
    await begin(name);
  } catch (error) {
    problem.textContent = error.message;
  }
});

nameField.addEventListener("keydown", (event) => {
  if (event.key === "Enter") nameField.blur();
  if (event.key === "Escape") { nameField.value = state.name; nameField.blur(); }
});
nameField.addEventListener("change", async () => {
  const name = nameField.value.trim();
  if (name === state.name) return;
  try {
    await ask("api/progress?annotator=" + encodeURIComponent(name));
    await begin(name);
    if (root.dataset.state === "rating") say("Now rating as " + name + ".");
  } catch (error) {
    nameField.value = state.name;
    say("The name stays " + state.name + ": " + error.message, "bad");
  }
});

// Full size, layout, events of the page

function openFull() {
  if (!state.loaded) return;
  const image = new Image();
  image.alt = stage.firstElementChild.alt;
  image.src = stage.firstElementChild.src;
  find(".pad-full-scroll").replaceChildren(image);
  full.showModal();
}

function fit() {
  // The pad takes what the window leaves, so that image and sliders stand on one screen without scrolling.
  if (root.offsetParent === null) return;
  let below = 0;
  for (let at = root.parentElement; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    below += parseFloat(style.paddingBottom) + parseFloat(style.borderBottomWidth) + parseFloat(style.marginBottom);
  }
  const top = root.getBoundingClientRect().top + window.scrollY;
  root.style.setProperty("--pad-height", Math.floor(window.innerHeight - top - below) + "px");
}

const ending = new AbortController();
const until = { signal: ending.signal };
const pad = { root, heads, full, save, openFull, rateAndMove, step: settings.step, isRating: () => root.dataset.state === "rating" && root.offsetParent !== null };

document.addEventListener("keydown", (event) => (root.isConnected ? handleKey(event, pad) : ending.abort()), { capture: true, signal: ending.signal });
document.addEventListener("visibilitychange", () => {
  if (document.hidden && state.since !== null) {
    state.spent += performance.now() - state.since;
    state.since = null;
  } else if (!document.hidden && state.since === null && state.loaded) {
    state.since = performance.now();
  }
}, until);
window.addEventListener("resize", fit, until);
new ResizeObserver(fit).observe(element);
saveButton.addEventListener("click", save);
find(".pad-skip").addEventListener("click", skip);
find(".pad-again").addEventListener("click", () => begin(state.name));
stage.addEventListener("click", openFull);
find(".pad-close").addEventListener("click", () => full.close());
find(".pad-full-scroll").addEventListener("click", () => full.close());
full.addEventListener("close", () => heads.select(heads.current));

find(".pad-sample").hidden = !settings.sample;
find(".pad-sample").title = "The sample project: pictures altered on purpose, rated by simulated people. " + ownWords;
heads.reset();
fit();
start();
