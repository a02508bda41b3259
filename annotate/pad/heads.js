// The five heads: what the person said about each, and how that looks. A head is rated only when a person touched it.

export function makeHeads(root, settings, onChange) {
  const list = root.querySelector(".pad-heads");
  const template = root.querySelector(".pad-head-template");
  const heads = settings.heads.map((aspect, index) => {
    const row = template.content.firstElementChild.cloneNode(true);
    const find = (name) => row.querySelector(name);
    const head = { aspect, row, value: null, cannot: false, range: find("input"), output: find(".pad-value") };
    row.style.setProperty("--head", aspect.colour);
    row.setAttribute("aria-label", aspect.label);
    find(".pad-label").textContent = aspect.label;
    find(".pad-label").title = aspect.description;
    find(".pad-rubric").textContent = aspect.rubric;
    find(".pad-rubric").title = aspect.rubric;
    find(".pad-rubric").id = "pad-rubric-" + aspect.name;
    head.bands = settings.bands.map((band, rank) => {
      const part = document.createElement("span");
      part.textContent = band.name;
      part.style.flex = band.high - band.low + " 1 0";
      part.style.setProperty("--tint", 12 + 9 * rank + "%");
      part.style.minWidth = "0";
      find(".pad-bands").append(part);
      return part;
    });
    Object.assign(head.range, { min: settings.min, max: settings.max, step: settings.step });
    head.range.setAttribute("aria-label", aspect.label + ", 0 to 10");
    head.range.setAttribute("aria-describedby", "pad-rubric-" + aspect.name);
    head.range.dataset.head = aspect.name;
    listenToPointer(head, index);
    head.range.addEventListener("focus", () => select(index, false));
    head.cannotButton = find(".pad-cannot");
    head.cannotButton.setAttribute("aria-label", "Can’t judge " + aspect.label);
    head.cannotButton.addEventListener("click", () => toggleCannot(index));
    list.append(row);
    return head;
  });
  let current = 0;

  function listenToPointer(head, index) {
    let before = null; // what a finger's touch found
    let pressed = false; // by the main button or a finger, and on this slider
    head.range.addEventListener("input", () => rate(index, Number(head.range.value)));
    head.range.addEventListener("pointerdown", (event) => {
      before = { value: head.value, cannot: head.cannot };
      pressed = event.button === 0;
      if (pressed) head.range.setPointerCapture(event.pointerId); // so that the release is told wherever it happens
    });
    // A press on the very spot where the hidden thumb rests changes no value and so fires no input.
    head.range.addEventListener("pointerup", () => {
      if (pressed) rate(index, Number(head.range.value));
      pressed = false;
    });
    // The finger turned out to scroll the page: it rated nothing.
    head.range.addEventListener("pointercancel", () => {
      if (!pressed) return; // another press: say, a drag of selected text that came over this slider
      pressed = false;
      Object.assign(head, before);
      draw(head);
      onChange();
    });
  }

  function bandOf(value) {
    const rank = settings.bands.findIndex((band) => value < band.high);
    return rank < 0 ? settings.bands.length - 1 : rank;
  }

  function draw(head) {
    const untouched = head.value === null && !head.cannot;
    const rank = head.value === null ? -1 : bandOf(head.value);
    head.row.classList.toggle("untouched", untouched);
    head.row.classList.toggle("cannot", head.cannot);
    head.row.classList.remove("missing");
    head.bands.forEach((part, place) => {
      part.classList.toggle("here", place === rank);
    });
    head.row.style.setProperty("--share", head.value === null ? "0" : (100 * (head.value - settings.min)) / (settings.max - settings.min) + "%");
    head.output.replaceChildren();
    let words = head.cannot ? "can’t judge" : "not rated yet";
    if (rank >= 0) {
      const number = document.createElement("b");
      number.textContent = head.value.toFixed(1);
      head.output.append(number);
      words = settings.bands[rank].name;
    }
    head.output.append(words);
    head.range.value = head.value === null ? (settings.min + settings.max) / 2 : head.value;
    head.range.title = rank < 0 ? "" : settings.bands[rank].name + ": " + head.aspect.anchors[rank];
    const spoken = rank < 0 ? words : head.value.toFixed(1) + ", " + words + ": " + head.aspect.anchors[rank];
    head.range.setAttribute("aria-valuetext", spoken);
    head.cannotButton.setAttribute("aria-pressed", String(head.cannot));
  }

  function rate(index, value) {
    const head = heads[index];
    head.value = Math.round(Math.min(settings.max, Math.max(settings.min, value)) * 10) / 10;
    head.cannot = false;
    draw(head);
    select(index, false);
    onChange();
  }

  function toggleCannot(index) {
    const head = heads[index];
    head.cannot = !head.cannot;
    head.value = null;
    draw(head);
    select(index, false);
    onChange();
  }

  function select(index, focus = true) {
    current = Math.min(heads.length - 1, Math.max(0, index));
    heads.forEach((head, place) => head.row.classList.toggle("current", place === current));
    if (focus) heads[current].range.focus({ preventScroll: window.innerWidth > 920 });
  }

  return {
    get current() { return current; },
    select,
    rate,
    cannot(index) {
      if (!heads[index].cannot) toggleCannot(index);
    },
    firstMissing: () => heads.findIndex((head) => head.value === null && !head.cannot),
    nudge(step) {
      const value = heads[current].value;
      rate(current, (value === null ? (settings.min + settings.max) / 2 : value) + step);
    },
    reset() {
      for (const head of heads) {
        head.value = null;
        head.cannot = false;
        draw(head);
      }
      current = 0;
      heads.forEach((head, place) => head.row.classList.toggle("current", place === 0));
    },
    missing: () => heads.filter((head) => head.value === null && !head.cannot).map((head) => head.aspect.label),
    showMissing() {
      for (const head of heads) head.row.classList.toggle("missing", head.value === null && !head.cannot);
    },
    set(said) {
      for (const head of heads) {
        const value = said.ratings[head.aspect.name];
        head.value = value === undefined ? null : value;
        head.cannot = said.cannot_judge.includes(head.aspect.name);
        draw(head);
      }
    },
    untouched: () => heads.every((head) => head.value === null && !head.cannot),
    said: () => ({
      ratings: Object.fromEntries(heads.map((head) => [head.aspect.name, head.value])),
      cannot_judge: heads.filter((head) => head.cannot).map((head) => head.aspect.name),
    }),
  };
}
