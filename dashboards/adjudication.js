// What a reviewer decides on a disputed image goes to the JSON route; Gradio runs this with `element`, the list of cards.
// The listeners stay on the element, whatever cards are shown in it.
const NAME_KEY = "reward-studio-reviewer";
const nameBox = () => document.querySelector("#agreement-reviewer input, #agreement-reviewer textarea");
function show(card, words, bad = false) {
  const line = card.querySelector(".studio-decided");
  line.textContent = words;
  line.classList.toggle("studio-bad", bad);
}

function words(one) {
  const why = one.note ? ": " + one.note : "";
  return one.value === null ? one.reviewer + " revoked the adjudicated value" + why
    : "Adjudicated " + one.value + " by " + one.reviewer + why;
}

async function decide(card, choice) {
  const reviewer = (nameBox()?.value || "").trim();
  if (!reviewer) {
    show(card, "Enter your name above the list first: it stands beside the decision.", true);
    nameBox()?.focus();
    return;
  }
  const value = choice === "revoke" ? null
    : Number(choice === "slider" ? card.querySelector("input[type=range]").value : choice);
  const body = {
    image_id: Number(card.dataset.image), head: card.dataset.head, value, reviewer,
    note: card.querySelector(".studio-note").value, replaces: card.dataset.newest ? Number(card.dataset.newest) : null,
  };
  card.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(new URL("api/adjudications", document.baseURI), {
      method: "POST", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-Studio": card.dataset.studio }, // numbers mean others elsewhere
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) { show(card, said.detail || "The studio can’t store this now. Nothing was stored.", true); return; }
    card.dataset.newest = said.adjudication.id;
    card.dataset.stands = String(said.adjudication.value !== null);
    card.querySelector(".studio-note").value = "";
    show(card, words(said.adjudication));
    try { localStorage.setItem(NAME_KEY, reviewer); } catch { /* then it is typed again next time */ }
  } catch {
    show(card, "The studio doesn’t answer. Nothing was stored; try again once it is back.", true);
  } finally {
    card.removeAttribute("aria-busy");
  }
}

element.addEventListener("input", (event) => {
  if (event.target.type === "range") event.target.parentElement.querySelector("output").textContent = event.target.value;
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-decide]");
  const card = button?.closest(".studio-case");
  if (card && card.getAttribute("aria-busy") !== "true") decide(card, button.dataset.decide);
});
