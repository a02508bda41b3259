// The image: each address has an element of its own, so that the next ones are loaded and decoded before they are needed.

import { imageAddress } from "./network.js";

// `words` begin what a screen reader says of the image; `full` shows it at full size.
export function makeStage(place, full, words, onShown) {
  const stage = place.querySelector(".pad-stage");
  const picturePlace = place.querySelector(".pad-picture");
  const pictures = new Map(); // url -> { image, works }, of the shown one and the next
  let shown = null;
  let loaded = false;

  function load(url) {
    const image = new Image();
    image.src = imageAddress(url);
    // decode() also tells a file that ends too early, which the load event takes for whole.
    return { image, works: image.decode().then(() => true, () => false) };
  }

  function picture(task) {
    if (!pictures.has(task.url)) {
      const first = load(task.screen_url || task.url);
      if (task.screen_url) first.works = first.works.then((fine) => fine || original(first.image, task));
      pictures.set(task.url, first);
    }
    return pictures.get(task.url);
  }

  // Puts the file's own bytes in place of the smaller version that was painted first.
  async function original(image, task) {
    const own = load(task.url);
    if (!(await own.works)) return false;
    image.src = own.image.src;
    return image.decode().then(() => true, () => false);
  }

  function keepOnly(tasks) {
    const wanted = new Set(tasks.map((task) => task.url));
    for (const url of pictures.keys()) if (!wanted.has(url)) pictures.delete(url);
  }

  function openFull() {
    if (loaded) full.show(imageAddress(shown.url), picturePlace.firstElementChild.alt);
  }

  stage.addEventListener("click", openFull);

  return {
    openFull,
    get image() { return loaded ? picturePlace.firstElementChild : null; },
    get url() { return imageAddress(shown.url); },
    get loaded() { return loaded; },
    get broken() { return stage.classList.contains("broken"); },
    show(task, upcoming) {
      const { image, works } = picture(task);
      keepOnly([task, ...upcoming]);
      shown = task;
      loaded = false;
      image.alt = words + " for the prompt: " + task.prompt;
      stage.style.setProperty("--ratio", task.width + " / " + task.height);
      stage.classList.remove("broken");
      stage.classList.toggle("loading", !image.complete);
      picturePlace.replaceChildren(image);
      works.then((fine) => {
        if (shown !== task) return;
        stage.classList.remove("loading");
        stage.classList.toggle("broken", !fine);
        if (!fine) pictures.delete(task.url); // the file may be mended by the time it comes again
        loaded = fine;
        if (fine && task.screen_url) original(image, task);
        for (const next of upcoming) picture(next);
        onShown(fine);
      });
    },
    preload(upcoming) {
      if (shown) keepOnly([shown, ...upcoming]);
      if (loaded) for (const next of upcoming) picture(next);
    },
  };
}
