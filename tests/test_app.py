"""The studio's command line, run as a person runs it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "app.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_tells_every_argument() -> None:
    answer = run("--help")
    assert answer.returncode == 0
    for option in ("--data", "--outputs", "--allow", "--port", "--host"):
        assert option in answer.stdout


def test_help_needs_neither_gradio_nor_torch() -> None:
    program = (
        "import sys\nsys.argv = ['app.py', '--help']\nimport app\n"
        "try:\n    app.main()\nexcept SystemExit:\n    pass\n"
        "assert not {'gradio', 'torch', 'pandas', 'plotly'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROGRAM.parent, capture_output=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "studio.example.org", "::", "127.0.0.1"])
def test_any_other_address_is_refused(host: str, tmp_path: Path) -> None:
    answer = run("--host", host, "--data", tmp_path / "data")
    assert answer.returncode == 2
    assert f"--host {host}" in answer.stderr
    assert "no accounts yet" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = run("--port", port, "--data", tmp_path / "data")
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"app.py: Port {port} is taken")
    assert "choose another one with --port" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    answer = run("--port", port)
    assert answer.returncode == 2
    assert "0 to 65535" in answer.stderr


def test_an_allowed_folder_must_exist(tmp_path: Path) -> None:
    answer = run("--port", 0, "--data", tmp_path / "data", "--allow", tmp_path / "nowhere")
    assert answer.returncode == 1
    assert f"--allow {tmp_path / 'nowhere'}: there is no such folder" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_data_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    answer = run("--port", 0, "--data", tmp_path / "data")
    assert answer.returncode == 1
    assert "is a file" in answer.stderr
    assert "Traceback" not in answer.stderr
