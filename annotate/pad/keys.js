// The keyboard. One table says which key does what; nothing fires while a text field has the focus.

function isTextField(target) {
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return target.tagName === "INPUT" && !/^(range|button|checkbox|radio|submit|reset)$/.test(target.type);
}

function digitOf(event) {
  if (/^Numpad[0-9]$/.test(event.code)) return Number(event.code.slice(6));
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  // Keyboards on which digits need Shift, French ones for example: the key itself counts.
  if (/^Digit[0-9]$/.test(event.code) && !event.shiftKey) return Number(event.code.slice(5));
  return null;
}

const key = (name) => (event) => event.key.toLowerCase() === name;
const isButton = (target) => target.tagName === "BUTTON" || target.tagName === "SUMMARY";

const arrow = (event, way) => event.key.startsWith("Arrow") && /Left|Right/.test(event.key) === (way === "sideways");
const direction = (event) => (/Left|Up|NumpadSubtract/.test(event.key.startsWith("Arrow") ? event.key : event.code) ? -1 : 1);
const plusMinus = (event) => event.code === "NumpadAdd" || event.code === "NumpadSubtract";

// shows, words: what the help says; when: is it this key; run: what it does.
// `rates`: typed before the next image is there, it counts for that one. `repeats`: goes on while the key is held.
// `everywhere`: also while another part of the page has the focus. `idle`: also when there is no image to rate.
function bindings(pad) {
  return [
    { shows: "0 – 9", words: "rate the aspect and move on", when: (event) => digitOf(event) !== null, run: (event) => pad.rateAndMove(digitOf(event)), rates: true, everywhere: true },
    { shows: "x  ×", words: "rate it ten and move on", when: (event) => key("x")(event) || event.code === "NumpadMultiply", run: () => pad.rateAndMove(10), rates: true, everywhere: true },
    { shows: "n", words: "can’t judge the aspect; move on", when: key("n"), run: pad.cannotAndMove, rates: true },
    { shows: "← →", words: "0.1 less or more", when: (event) => arrow(event, "sideways") && !event.shiftKey, run: (event) => pad.heads.nudge(direction(event) * pad.step), rates: true, repeats: true },
    { shows: "Shift ← →  − +", words: "1 less or more (− and + of the number pad)", when: (event) => arrow(event, "sideways") || plusMinus(event), run: (event) => pad.heads.nudge(direction(event)), rates: true, repeats: true },
    { shows: "↑ ↓", words: "another aspect", when: (event) => arrow(event, "upright"), run: (event) => pad.heads.select(pad.heads.current + direction(event)), rates: true, repeats: true },
    { shows: "Enter", words: "save and go on", when: (event) => event.key === "Enter" && !isButton(event.composedPath()[0]), run: pad.save },
    { shows: "s", words: "skip the image, with a reason", when: key("s"), run: pad.askSkip },
    { shows: "b", words: "back to what you rated last", when: key("b"), run: pad.back, idle: true },
    { shows: "Esc", words: "leave a reopened rating as it was", when: key("escape"), run: pad.leave },
    { shows: "g", words: "grid of thirds and centre, on and off", when: key("g"), run: () => pad.aids.toggle("grid") },
    { shows: "l", words: "loupe: the file’s own pixels, 1:1, under the pointer", when: key("l"), run: () => pad.aids.toggle("loupe") },
    { shows: "c", words: "without colours, and back", when: key("c"), run: () => pad.aids.toggle("grey") },
    { shows: "p", words: "palette of the main colours", when: key("p"), run: () => pad.aids.toggle("palette") },
    { shows: "w", words: "the prompt’s words large", when: key("w"), run: () => pad.aids.toggle("words") },
    { shows: "f", words: "full size", when: key("f"), run: pad.openFull },
    { shows: "?", words: "these keys", when: key("?"), run: pad.openHelp, idle: true },
  ];
}

export function makeKeys(pad) {
  const table = bindings(pad);
  let ahead = []; // what was typed before the image was there

  function handle(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    if (!(target instanceof Element) || isTextField(target)) return;
    if (pad.full.open) {
      if (event.key === "f" && !event.repeat) act(event, () => pad.full.close());
      return;
    }
    if (pad.root.querySelector("dialog[open]") || !pad.isVisible()) return;
    const here = pad.root.contains(target) || target === document.body || target === document.documentElement;
    const found = table.find((binding) => binding.when(event));
    if (!found || !(here || found.everywhere) || !(pad.isRating() || found.idle)) return;
    act(event, () => {
      if (event.repeat && !found.repeats) return; // a held key would rate all five heads
      if (found.rates && pad.isWaiting()) ahead.push(() => found.run(event));
      else found.run(event);
    });
  }

  return {
    handle,
    table,
    catchUp() { // the image is there now
      const typed = ahead;
      ahead = [];
      for (const run of typed) run();
    },
    forget() {
      ahead = [];
    },
  };
}

function act(event, action) {
  event.preventDefault();
  event.stopPropagation();
  action();
}
