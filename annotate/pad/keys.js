// The keyboard: a table says which key does what; nothing fires while a text field has the focus.
//
// shows, words: what the help says; when: is it this key; run: what it does.
// `rates`: typed before the next image is there, it counts for that one. `repeats`: goes on while the key is held.
// `everywhere`: also while another part of the page has the focus. `idle`: also when there is nothing to judge.

function isTextField(target) {
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return target.tagName === "INPUT" && !/^(range|button|checkbox|radio|submit|reset)$/.test(target.type);
}

export function digitOf(event) {
  if (/^Numpad[0-9]$/.test(event.code)) return Number(event.code.slice(6));
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  // Keyboards on which digits need Shift, French ones for example: the key itself counts.
  if (/^Digit[0-9]$/.test(event.code) && !event.shiftKey) return Number(event.code.slice(5));
  return null;
}

export const key = (name) => (event) => event.key.toLowerCase() === name;
export const isButton = (target) => target.tagName === "BUTTON" || target.tagName === "SUMMARY";

export function makeKeys(pad, table) {
  let ahead = []; // what was typed before the image was there

  function handle(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    if (!(target instanceof Element) || isTextField(target)) return;
    if (pad.full.open) {
      const found = pad.fullKeys.find((binding) => binding.when(event));
      if (found && !event.repeat) act(event, found.run);
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
