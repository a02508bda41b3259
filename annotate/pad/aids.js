// Aids for looking, each off again at the next image: grid, loupe, greyscale, palette, large prompt.

import { palette } from "./palette.js";

const LOUPE = 260; // pixels across

export function makeAids(root, stage) {
  const look = root.querySelector(".pad-look");
  const place = root.querySelector(".pad-stage");
  const lines = root.querySelector(".pad-lines");
  const loupe = root.querySelector(".pad-loupe");
  const swatches = root.querySelector(".pad-swatches");
  const buttons = new Map([...root.querySelectorAll(".pad-aids button[data-aid]")].map((button) => [button.dataset.aid, button]));
  const on = new Set();

  function draw() {
    for (const [aid, button] of buttons) {
      button.setAttribute("aria-pressed", String(on.has(aid)));
      look.classList.toggle("aid-" + aid, on.has(aid));
    }
    lines.toggleAttribute("hidden", !on.has("grid")); // an SVG element has no such property
    loupe.hidden = !on.has("loupe");
    swatches.hidden = !on.has("palette");
    if (on.has("palette")) showPalette();
    layOut();
  }

  function layOut() {
    const image = stage.image;
    if (!image || on.size === 0) return;
    const box = image.getBoundingClientRect();
    const around = place.getBoundingClientRect();
    Object.assign(lines.style, {
      left: box.left - around.left - place.clientLeft + "px", top: box.top - around.top - place.clientTop + "px",
      width: box.width + "px", height: box.height + "px",
    });
    if (on.has("loupe")) magnify(box.left + box.width / 2, box.top + box.height / 2);
  }

  // One pixel of the file on one pixel of the screen, at the point that the pointer is on.
  function magnify(x, y) {
    const image = stage.image;
    if (!image) return;
    const box = image.getBoundingClientRect();
    const around = place.getBoundingClientRect();
    const across = Math.min(1, Math.max(0, (x - box.left) / box.width));
    const down = Math.min(1, Math.max(0, (y - box.top) / box.height));
    const width = image.naturalWidth / window.devicePixelRatio;
    const height = image.naturalHeight / window.devicePixelRatio;
    Object.assign(loupe.style, {
      left: box.left + across * box.width - around.left - LOUPE / 2 + "px",
      top: box.top + down * box.height - around.top - LOUPE / 2 + "px",
      width: LOUPE + "px", height: LOUPE + "px",
      backgroundImage: "url(" + JSON.stringify(stage.url) + ")",
      backgroundSize: width + "px " + height + "px",
      backgroundPosition: LOUPE / 2 - across * width + "px " + (LOUPE / 2 - down * height) + "px",
    });
  }

  function showPalette() {
    swatches.replaceChildren(...palette(stage.image).map(({ colour, share }) => {
      const swatch = document.createElement("span");
      swatch.style.background = colour;
      swatch.style.flexGrow = share;
      swatch.title = colour;
      return swatch;
    }));
  }

  function toggle(aid) {
    if (!stage.image) return;
    if (!on.delete(aid)) on.add(aid);
    draw();
  }

  for (const [aid, button] of buttons) button.addEventListener("click", () => toggle(aid));
  place.addEventListener("pointermove", (event) => on.has("loupe") && magnify(event.clientX, event.clientY));
  new ResizeObserver(layOut).observe(place);

  return {
    toggle,
    reset() {
      on.clear();
      draw();
    },
  };
}
