// Which key does what on "A or B?"; see keys.js.

import { digitOf, key } from "./keys.js";

export function pairKeys(pair) {
  return [
    { shows: "← 1", words: "A, on the left, is better", when: (event) => event.key === "ArrowLeft" || digitOf(event) === 1, run: () => pair.choose("left") },
    { shows: "→ 2", words: "B, on the right, is better", when: (event) => event.key === "ArrowRight" || digitOf(event) === 2, run: () => pair.choose("right") },
    { shows: "0 t", words: "a tie: neither is better", when: (event) => digitOf(event) === 0 || key("t")(event), run: () => pair.choose("tie") },
    { shows: "s", words: "skip: you aren’t asked about these two again", when: key("s"), run: pair.skip },
    { shows: "b", words: "back to what you judged last", when: key("b"), run: pair.back, idle: true },
    { shows: "Esc", words: "leave a reopened pair as it was", when: key("escape"), run: pair.leave },
    { shows: "f", words: "A at full size, f again: B, f again: back", when: key("f"), run: () => pair.openFull("left") },
    { shows: "?", words: "these keys", when: key("?"), run: pair.openHelp, idle: true },
  ];
}

// While an image is open at full size.
export function fullKeys(pair) {
  return [
    { when: key("f"), run: () => (pair.fullSide() === "left" ? pair.openFull("right") : pair.full.close()) },
    { when: (event) => event.key === "ArrowLeft", run: () => pair.openFull("left") },
    { when: (event) => event.key === "ArrowRight", run: () => pair.openFull("right") },
  ];
}
