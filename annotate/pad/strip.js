// The strip: how this person rated the prompt's other images, the newest first, to stay consistent; a click reopens one.
// It is asked for once the image is painted, so that nobody waits for it, and has its place from the start.

import { ask, imageAddress, query } from "./network.js";

const MOST = 12;

export function makeStrip(root, settings, { person, open }) {
  const strip = root.querySelector(".pad-strip");
  const list = strip.querySelector("ul");
  const words = strip.querySelector(".pad-strip-words");
  let wanted = null; // the image that stands on the stage
  let on = false;

  function entry({ image, current }) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const thumb = new Image();
    thumb.alt = "";
    thumb.decoding = "async";
    thumb.src = imageAddress(image.url); // the browser has it from when it was rated
    button.append(thumb);
    const spoken = [];
    for (const aspect of settings.heads) {
      const value = current.ratings[aspect.name];
      const cell = document.createElement("span");
      cell.style.setProperty("--head", aspect.colour);
      cell.textContent = value === null ? "–" : value.toFixed(1);
      button.append(cell);
      spoken.push(aspect.label + " " + (value === null ? "can’t judge" : value.toFixed(1)));
    }
    button.title = "Open again. " + spoken.join(", ");
    button.setAttribute("aria-label", "Open again: " + spoken.join(", "));
    button.addEventListener("click", () => open({ ...image, draft: null, current }));
    item.append(button);
    return item;
  }

  async function load(task) {
    try {
      const { ratings } = await ask("api/ratings" + query({ annotator: person(), beside: task.image_id, limit: MOST }));
      if (wanted !== task) return;
      list.replaceChildren(...ratings.map(entry));
      words.textContent = ratings.length ? "" : "How you rate this prompt’s images will stand here.";
    } catch {
      if (wanted === task) words.textContent = ""; // an aid: rating goes on without it
    }
  }

  return {
    switchOn() {
      on = true;
      strip.hidden = false;
    },
    clear() {
      wanted = null;
      list.replaceChildren();
    },
    show(task) { // the image is painted
      wanted = task;
      if (on && strip.offsetParent !== null) requestAnimationFrame(() => setTimeout(() => wanted === task && load(task)));
    },
  };
}
