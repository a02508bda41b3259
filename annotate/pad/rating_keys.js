// Which key does what on the pad of five aspects; see keys.js.

import { digitOf, isButton, key } from "./keys.js";

const arrow = (event, way) => event.key.startsWith("Arrow") && /Left|Right/.test(event.key) === (way === "sideways");
const direction = (event) => (/Left|Up|NumpadSubtract/.test(event.key.startsWith("Arrow") ? event.key : event.code) ? -1 : 1);
const plusMinus = (event) => event.code === "NumpadAdd" || event.code === "NumpadSubtract";

export function ratingKeys(pad) {
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
    { shows: "i", words: "guidelines of the project, where it has any", when: key("i"), run: pad.openGuidelines, idle: true },
    { shows: "?", words: "these keys", when: key("?"), run: pad.openHelp, idle: true },
  ];
}
