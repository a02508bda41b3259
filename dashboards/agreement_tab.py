"""The room "Agreement" of the project tab: its components and events."""

from typing import TYPE_CHECKING, Any

from annotate.agreement_desk import AgreementDesk
from annotate.store import Store
from dashboards import adjudication, agreement_room, cards, markup
from dashboards.events import caller
from dashboards.rooms import LATEST, QUIET

if TYPE_CHECKING:
    import gradio as gr


def build_agreement_room(store: Store, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands (within `tab`); they are filled when it is opened."""
    import gradio as gr

    desk = AgreementDesk(store)
    nothing = gr.HTML(cards.detail("Comparing what people rated …"), elem_id="agreement-nothing")
    with gr.Column(visible=False) as room:
        with gr.Column(elem_classes="studio-panel"):
            gr.HTML(
                cards.title("Do people mean the same?", "Agreement on each head, over images that two or more rated")
            )
            heads = gr.HTML(elem_id="agreement-heads")
        with gr.Column(elem_classes="studio-panel"):
            gr.HTML(cards.title("Each person beside the others", "On the images that they have in common with others"))
            people = gr.HTML(elem_id="agreement-people")
            chart = gr.Plot(show_label=False, elem_id="agreement-bias", elem_classes="studio-plot")
            behind = gr.HTML()
            gr.HTML(markup.glossary(markup.PEOPLE_GLOSSARY))
        with gr.Column(elem_classes="studio-panel"):
            gr.HTML(cards.title("Where people differ most", _adjudication_words(store)))
            with gr.Row():
                reviewer = gr.Textbox(
                    label="Your name", elem_id="agreement-reviewer", max_lines=1, max_length=64, min_width=160
                )
                head = gr.Dropdown(
                    list(adjudication.HEAD_CHOICES), value="", label="Head", elem_id="agreement-head", min_width=160
                )
                which = gr.Radio(
                    [adjudication.OPEN, adjudication.SETTLED],
                    value=adjudication.OPEN,
                    label="Show",
                    elem_id="agreement-which",
                    min_width=200,
                )
            disputed = gr.HTML(elem_id="agreement-disputed", js_on_load=adjudication.SCRIPT.read_text(encoding="utf-8"))
            again = gr.Button("Reload the list", size="sm", elem_id="agreement-again")

    def show(wanted: str, kind: str, name: str, request: gr.Request) -> list[Any]:
        agreement = desk.agreement()
        account = caller(request).account
        decides = gr.update(value=account or name, interactive=account is None)
        if not agreement.comparable and not desk.settled():
            return [agreement_room.nothing_yet(desk), gr.update(visible=False), decides, "", "", None, "", ""]
        columns = ("Person", *(label for label, _ in adjudication.HEAD_CHOICES[1:]))
        return [
            "",
            gr.update(visible=True),
            decides,
            agreement_room.head_card(agreement),
            agreement_room.people_card(agreement),
            agreement_room.bias_chart(agreement),
            markup.behind(columns, agreement_room.bias_rows(agreement)),
            adjudication.disputed_cards(desk, wanted, kind),
        ]

    def cases(wanted: str, kind: str) -> str:
        return adjudication.disputed_cards(desk, wanted, kind)

    tab.select(
        show,
        [head, which, reviewer],
        [nothing, room, reviewer, heads, people, chart, behind, disputed],
        js=adjudication.NAME_KEPT,
        api_name="agreement",
        show_progress="minimal",
        **LATEST,
    )
    gr.on(
        [head.change, which.change, again.click],
        cases,
        [head, which],
        disputed,
        api_name="disputed_cards",
        **LATEST,
        **QUIET,
    )


def _adjudication_words(store: Store) -> str:
    where = "the ratings CSV"
    if store.project.is_sample:
        where = f"{store.project.exported_path(store.project.own_annotations)}/ (simulated ratings stay apart)"
    return (
        f"A click on a value decides: {where} holds it in place of the mean, and people's own ratings stay as they are"
    )
