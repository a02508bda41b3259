// "My ratings": everything this person rated, newest first, what waits in the browser on top; each can be opened again.

import { ask, imageAddress, query } from "./network.js";

export function makeMine(root, settings, { person, outbox, open, reopenWaiting }) {
  const dialog = root.querySelector(".pad-mine");
  const list = dialog.querySelector(".pad-mine-list");
  const more = dialog.querySelector(".pad-mine-more");
  const words = dialog.querySelector(".pad-mine-words");
  let oldest = null;

  function row(image, said, notes, actions) {
    const template = root.querySelector(".pad-mine-template");
    const item = template.content.firstElementChild.cloneNode(true);
    const find = (name) => item.querySelector(name);
    find("img").src = imageAddress(image.url);
    find("img").alt = "";
    find(".pad-mine-prompt").textContent = image.prompt;
    find(".pad-mine-notes").textContent = notes;
    const values = settings.heads.map((aspect) => {
      const value = said.ratings[aspect.name];
      const cell = document.createElement("span");
      cell.style.setProperty("--head", aspect.colour);
      cell.textContent = aspect.label + " " + (value === null ? "–" : value.toFixed(1));
      return cell;
    });
    find(".pad-mine-values").replaceChildren(...values);
    find(".pad-mine-actions").replaceChildren(...actions.map(([label, action]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "pad-button";
      button.textContent = label;
      button.setAttribute("aria-label", label + ": " + image.prompt);
      button.addEventListener("click", action);
      return button;
    }));
    return item;
  }

  function stored({ image, current, times }) {
    const when = new Date(current.created).toLocaleString();
    const notes = when + (times > 1 ? " · rated " + times + " times, the newest counts" : "");
    return row(image, current, notes, [["Open", () => { dialog.close(); open({ ...image, draft: null, current }); }]]);
  }

  function inBrowser(item) {
    const actions = [["Open", () => { dialog.close(); reopenWaiting(item); }]];
    if (item.refused) actions.push(["Discard", () => { outbox().take(item); show(); }]);
    return row(item.task, item.said, item.refused ? "Refused: " + item.refused : "Not saved yet: waits in this browser", actions);
  }

  async function fetchMore() {
    try {
      const answer = await ask("api/ratings" + query({ annotator: person(), before: oldest }));
      list.append(...answer.ratings.map(stored));
      oldest = answer.ratings.length ? answer.ratings.at(-1).current.id : oldest;
      more.hidden = !answer.more;
      words.textContent = list.childElementCount ? "" : "Nothing yet.";
    } catch (error) {
      words.textContent = error.message;
    }
  }

  function show() {
    oldest = null;
    more.hidden = true;
    words.textContent = "";
    list.replaceChildren(...outbox().items().reverse().map(inBrowser));
    if (!dialog.open) dialog.showModal();
    return fetchMore();
  }

  more.addEventListener("click", fetchMore);
  dialog.querySelector(".pad-mine-close").addEventListener("click", () => dialog.close());
  return { show };
}
