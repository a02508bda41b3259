// Who rates: the name that this browser remembers, the question for it, and the field that changes it. All views of one
// page share the name: one that was hidden meanwhile asks `moved` when it is seen again.

import { ask, query } from "./network.js";

const NAME_KEY = "reward-studio-annotator";

// begin(name) goes on under a name; current() is the one in use; isRating() whether there is something to judge.
export function makePerson(root, settings, board, { begin, current, isRating }) {
  const find = (name) => root.querySelector(name);
  const nameField = find(".pad-name");
  const checkName = (person) => ask("api/progress" + query({ annotator: person }));

  function remembered() {
    if (window.rewardStudioName) return window.rewardStudioName; // this page's, whatever another window says by now
    try { return localStorage.getItem(NAME_KEY) || ""; } catch { return ""; }
  }

  find(".pad-start").addEventListener("submit", async (event) => {
    event.preventDefault();
    const person = find(".pad-start-name").value.trim();
    const problem = find(".pad-start-problem");
    problem.textContent = "";
    try {
      await checkName(person);
      await begin(person);
    } catch (error) {
      problem.textContent = error.message;
    }
  });

  nameField.addEventListener("keydown", (event) => {
    if (event.key === "Enter") nameField.blur();
    if (event.key === "Escape") { nameField.value = current(); nameField.blur(); }
  });
  nameField.addEventListener("change", async () => {
    const person = nameField.value.trim();
    if (person === current()) return;
    try {
      await checkName(person);
      await begin(person);
      if (isRating()) board.say("Now rating as " + person + ".");
    } catch (error) {
      nameField.value = current();
      board.say("The name stays " + current() + ": " + error.message, "bad");
    }
  });

  return {
    remembered,
    moved: () => remembered() !== "" && remembered() !== current(),
    remember(person) {
      window.rewardStudioName = person;
      try { localStorage.setItem(NAME_KEY, person); } catch { /* private windows may refuse; the name is only asked again */ }
    },
    show(person) {
      nameField.value = person;
    },
    // Who is signed in rates under the account's name, which isn't theirs to change here.
    showAccount(person) {
      root.classList.add("has-account");
      find(".pad-account").hidden = false;
      find(".pad-account b").textContent = person;
    },
    askName(problem = "") {
      board.message("start", "Who is rating?", "Your name is stored with each of your " + board.many + ", so that several people’s can be told apart." + (settings.sample ? " This is the sample. " + board.own : ""));
      if (root.offsetParent !== null) find(".pad-start-name").focus({ preventScroll: true });
      find(".pad-start-problem").textContent = problem;
    },
  };
}
