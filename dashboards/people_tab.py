"""The People room's components and events."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from annotate.accounts import Accounts
from annotate.permissions import ROLES
from dashboards import cards
from dashboards.people import (
    add_person,
    change_password,
    change_role,
    change_state,
    names_of,
    show_people,
)
from dashboards.rooms import LATEST, QUIET

if TYPE_CHECKING:
    import gradio as gr


def build_people(accounts: Accounts, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands (within `tab`) and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Who may sign in", "What people rated stays whatever is changed here; times are in UTC"))
        listed = gr.HTML(elem_id="people-list")
        told = gr.HTML(elem_id="people-told")
    with gr.Column(elem_classes="studio-panel", visible=False) as adding:
        gr.HTML(cards.title("Add a person", "They rate under this name"))
        with gr.Row():
            new_name = gr.Textbox(label="Name", max_lines=1, elem_id="people-new-name")
            new_role = gr.Dropdown(list(ROLES), value=ROLES[0], label="Role", elem_id="people-new-role")
            new_password = gr.Textbox(
                label="Password, 8 characters or more", type="password", max_lines=1, elem_id="people-new-password"
            )
        add = gr.Button("Add", variant="primary", elem_id="people-add")
    with gr.Column(elem_classes="studio-panel", visible=False) as changing:
        gr.HTML(cards.title("Change a person", "Each change signs them out everywhere; an active admin is always left"))
        person = gr.Dropdown([], label="Person", allow_custom_value=True, elem_id="people-person")
        with gr.Row():
            role = gr.Dropdown(list(ROLES), value=ROLES[0], label="Role", elem_id="people-role")
            password = gr.Textbox(label="New password", type="password", max_lines=1, elem_id="people-password")
        with gr.Row():
            to_role = gr.Button("Change the role", elem_id="people-to-role")
            to_password = gr.Button("Set the password", elem_id="people-to-password")
            disable = gr.Button("Disable", elem_id="people-disable")
            enable = gr.Button("Enable", elem_id="people-enable")

    shown = [listed, adding, changing, person]

    def show() -> list[Any]:
        names = names_of(accounts)
        there = gr.update(visible=bool(names))
        return [show_people(accounts), there, there, gr.update(choices=names)]

    def then_shown(work: Callable[..., str], boxes: int) -> Callable[..., list[Any]]:
        """Does `work`, tells of it, empties the password boxes and lists everybody anew."""

        def done(*values: str | None) -> list[Any]:
            return [work(*(value or "" for value in values)), *[""] * boxes, *show()]

        return done

    def wire(button: Any, name: str, work: Callable[..., str], inputs: list[Any], boxes: tuple[Any, ...] = ()) -> None:
        outputs = [told, *boxes, *shown]
        button.click(
            then_shown(work, len(boxes)), inputs, outputs, api_name=name, api_visibility="private", queue=False
        )  # fmt: skip

    tab.select(show, None, shown, api_visibility="private", **LATEST, **QUIET)
    wire(add, "add_person", lambda *given: add_person(accounts, *given), [new_name, new_role, new_password],
         (new_password,))  # fmt: skip
    wire(to_role, "change_role", lambda *given: change_role(accounts, *given), [person, role])
    wire(to_password, "change_password", lambda *given: change_password(accounts, *given), [person, password],
         (password,))  # fmt: skip
    wire(disable, "disable_person", lambda name: change_state(accounts, name, False), [person])
    wire(enable, "enable_person", lambda name: change_state(accounts, name, True), [person])
