"""The public surface, and what importing it costs."""

import ast
import dataclasses
import subprocess
import sys

import dspo.reward
import reward
from reward.cli import build_parser
from reward.config import FLAGS, TrainConfig
from tests.reward_inputs import PROJECT


def loaded_after(code: str) -> set[str]:
    """Which of the heavy modules a fresh interpreter has loaded after `code`."""
    heavy = ("torch", "open_clip", "pandas", "sklearn", "scipy", "gradio")
    command = [sys.executable, "-c", f"import sys\n{code}\nprint([m for m in {heavy} if m in sys.modules])"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True)
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_the_public_names() -> None:
    assert set(reward.__all__) == set(reward._HOME)
    for name in reward.__all__:
        assert getattr(dspo.reward, name) is getattr(reward, name)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import reward") == set()


def test_help_loads_nothing_heavy() -> None:
    code = "from reward.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert loaded_after(code) == set()


def test_reading_ratings_needs_no_torch() -> None:
    assert "torch" not in loaded_after(
        "import reward.ratings, reward.pairs, reward.preferences, reward.config, reward.groups"
    )


def test_every_field_of_the_config_is_a_flag() -> None:
    assert [flag.field for flag in FLAGS] == [field.name for field in dataclasses.fields(TrainConfig)]
    options = {option for action in build_parser()._actions for option in action.option_strings}
    assert {flag.option for flag in FLAGS} <= options


def test_every_flag_is_documented() -> None:
    text = (PROJECT / "docs/training.md").read_text()
    for flag in FLAGS:
        assert f"`{flag.option}`" in text, flag.option
