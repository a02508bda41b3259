// The two images of a pair: both must be there, and seen for a moment, before anything can be said of them.

import { makeStage } from "./stage.js";

const NAMES = { left: "A", right: "B" };
const MOMENT_MS = 200; // a key that is pressed twice mustn't judge the next pair unseen

// onReady(fine) once both are shown (or one can't be); onSettled() once the moment has passed.
export function makeSides(root, full, { onReady, onSettled }) {
  const places = { left: root.querySelector(".pair-left"), right: root.querySelector(".pair-right") };
  const stages = Object.fromEntries(Object.entries(places).map(([side, place]) =>
    [side, makeStage(place, full, "Image " + NAMES[side], shown)]));
  let settled = false;
  let timer = null;
  let fullSide = "";

  const both = (test) => test(stages.left) && test(stages.right);

  function shown() {
    if (!both((stage) => stage.loaded || stage.broken) || timer) return;
    const fine = both((stage) => stage.loaded);
    onReady(fine);
    timer = setTimeout(() => {
      settled = fine;
      onSettled();
    }, MOMENT_MS);
  }

  for (const side of ["left", "right"]) {
    places[side].querySelector(".pad-stage").addEventListener("click", () => { fullSide = side; });
  }

  return {
    get settled() { return settled; },
    get broken() { return stages.left.broken || stages.right.broken; },
    get fullSide() { return fullSide; },
    openFull(side) {
      fullSide = side;
      stages[side].openFull();
    },
    show(pair, upcoming) {
      clearTimeout(timer);
      timer = null;
      settled = false;
      for (const side of ["left", "right"]) stages[side].show({ ...pair[side] }, upcoming.map((next) => next[side]));
    },
    preload(upcoming) {
      for (const side of ["left", "right"]) stages[side].preload(upcoming.map((next) => next[side]));
    },
  };
}
