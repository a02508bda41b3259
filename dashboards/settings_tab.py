"""The project's settings as a form in the Settings room; what is saved holds at once."""

from collections.abc import Mapping
from dataclasses import Field, asdict, fields
from typing import TYPE_CHECKING, Any

from annotate.settings import CHOICES, Campaign
from annotate.settings_file import SettingsFile, fault_words
from annotate.store import Store
from dashboards import cards
from dashboards.rooms import LATEST, QUIET
from reward.errors import InputError, RewardError

if TYPE_CHECKING:
    import gradio as gr


def given_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values as the file has them: whole numbers stay whole, an empty field isn't given."""
    whole = {setting.name for setting in fields(Campaign) if isinstance(setting.default, int)}
    return {
        name: int(value) if name in whole and isinstance(value, float) and value.is_integer() else value
        for name, value in values.items()
        if value is not None
    }


def build_settings(store: Store, tab: "gr.Tab") -> None:
    """Put the form where the caller stands (within `tab`) and wire it."""
    import gradio as gr

    file = SettingsFile(store)
    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("How this project is rated", "Kept as studio.toml in the data folder; holds at once"))
        opened = gr.State(None)  # what the file said when the form was filled
        settings = fields(Campaign)
        form: list[Any] = []
        for at in range(0, len(settings), 2):
            with gr.Row():
                form += [_field(setting, getattr(store.campaign, setting.name)) for setting in settings[at : at + 2]]
        told = gr.HTML(elem_id="settings-told")
        save = gr.Button("Save the settings", variant="primary", elem_id="settings-save")

    def load() -> list[Any]:
        try:
            campaign = file.read()
        except InputError as error:
            return [gr.skip()] * (1 + len(form)) + [cards.problem("studio.toml can't be used", fault_words(error))]
        return [campaign, *asdict(campaign).values(), ""]

    def keep(before: Campaign | None, *values: Any) -> list[Any]:
        named = dict(zip((setting.name for setting in settings), values, strict=True))
        try:
            campaign = file.save(given_values(named), before)
        except InputError as error:
            return [gr.skip(), cards.problem("Not saved", fault_words(error))]
        except RewardError as error:
            return [gr.skip(), cards.problem("Not saved", f"{error} Open the room again to see what it says now.")]
        return [campaign, cards.done("Saved; the next image that anybody gets comes by these settings.")]

    tab.select(load, None, [opened, *form, told], api_visibility="private", **LATEST, **QUIET)
    save.click(keep, [opened, *form], [opened, told], api_name="save_settings", show_progress="minimal")


def _field(setting: "Field[Any]", value: Any) -> Any:
    import gradio as gr

    shared = {
        "label": setting.name.replace("_", " ").capitalize(),
        "info": setting.metadata["help"],
        "elem_id": f"settings-{setting.name}",
    }
    if choices := CHOICES.get(setting.name):
        return gr.Dropdown(list(choices), value=value, **shared)
    return gr.Number(value, **shared)
