// The small dialogs over the pad: why an image is skipped, what the keys do, and how to rate in this project.

import { ask } from "./network.js";

const REASONS = [
  "Later: not sure yet",
  "The image is damaged or not shown",
  "I don’t want to look at this",
  "Image and prompt are mixed up",
];

// Calls onSkip(reason) once the person has chosen; the reason may be empty.
export function makeSkipDialog(root, onSkip) {
  const dialog = root.querySelector(".pad-skip-dialog");
  const other = dialog.querySelector("input");

  function choose(reason) {
    dialog.close();
    onSkip(reason);
  }

  dialog.querySelector(".pad-reasons").append(...REASONS.map((reason, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "pad-button";
    const digit = document.createElement("kbd");
    digit.textContent = index + 1;
    button.append(digit, reason);
    button.addEventListener("click", () => choose(reason));
    return button;
  }));
  dialog.addEventListener("keydown", (event) => {
    const index = REASONS.findIndex((_, place) => event.key === String(place + 1));
    if (index < 0 || event.target === other || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(REASONS[index]);
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    choose(other.value.trim());
  });
  dialog.querySelector(".pad-skip-cancel").addEventListener("click", () => dialog.close());

  return () => {
    other.value = "";
    dialog.showModal();
    dialog.querySelector(".pad-reasons button").focus();
  };
}

export function makeHelp(root, table) {
  const dialog = root.querySelector(".pad-help");
  dialog.querySelector("dl").append(...table.flatMap(({ shows, words }) => {
    const keys = document.createElement("dt");
    keys.textContent = shows;
    const meaning = document.createElement("dd");
    meaning.textContent = words;
    return [keys, meaning];
  }));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "?") dialog.close();
  });
  dialog.querySelector(".pad-help-close").addEventListener("click", () => dialog.close());
  return () => dialog.showModal();
}

// Asked for each time it is opened: whoever runs the project may have changed it meanwhile.
export function makeGuidelines(root) {
  const dialog = root.querySelector(".pad-guidelines");
  const button = root.querySelector(".pad-open-guidelines");
  const text = dialog.querySelector(".pad-guidelines-text");

  async function show() {
    if (button.hidden || dialog.open) return;
    dialog.showModal();
    try {
      text.innerHTML = (await ask("api/guidelines")).html; // made safe by the studio: annotate/guidelines.py
    } catch (error) {
      text.textContent = error.message;
    }
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "i") dialog.close();
  });
  dialog.querySelector(".pad-guidelines-close").addEventListener("click", () => dialog.close());
  button.addEventListener("click", show);
  return {
    show,
    switchOn() { // where the project has any
      button.hidden = false;
    },
  };
}
