"""The studio's command line, run as a person runs it."""

import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from accounts_parts import add_people, sign_in
from dashboards_server import StudioProcess

PROGRAM = Path(__file__).parents[1] / "app.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_tells_every_argument() -> None:
    answer = run("--help")
    assert answer.returncode == 0
    folders, addresses = ("--data", "--outputs", "--allow"), ("--port", "--host", "--allow-host")
    for option in (*folders, *addresses, "--tls-cert", "--tls-key", "users"):
        assert option in answer.stdout


def test_help_needs_neither_gradio_nor_torch() -> None:
    program = (
        "import sys\nsys.argv = ['app.py', '--help']\nimport app\n"
        "try:\n    app.main()\nexcept SystemExit:\n    pass\n"
        "assert not {'gradio', 'torch', 'pandas', 'plotly'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROGRAM.parent, capture_output=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "studio.example.org", "::"])
def test_any_other_address_is_refused_without_accounts(host: str, tmp_path: Path) -> None:
    answer = run("--host", host, "--data", tmp_path / "data")
    assert answer.returncode == 2
    assert f"--host {host}" in answer.stderr
    assert f"python app.py users add NAME --role admin --data {tmp_path / 'data'}" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_with_accounts_it_serves_other_computers_and_speaks_tls(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-keyout", key, "-out", cert)
    subprocess.run([openssl, *map(str, request)], check=True, capture_output=True)
    add_people(tmp_path / "data" / "studio.db", Ada="admin")
    tls = ("--tls-cert", cert, "--tls-key", key)
    studio = StudioProcess(tmp_path / "data", tmp_path / "outputs", "--host", "0.0.0.0", *tls, cwd=tmp_path)
    try:
        assert studio.url.startswith("https://")
        url = f"https://127.0.0.1:{studio.url.rpartition(':')[2]}"
        with httpx.Client(base_url=url, verify=ssl.create_default_context(cafile=cert), timeout=60) as client:
            assert client.get("/api/desk").status_code == 401
            assert "secure" in sign_in(client, "Ada").headers["set-cookie"].lower()
            assert client.get("/api/desk").json()["account"] == {"name": "Ada", "role": "admin"}
            assert client.get("/api/desk", headers={"host": "evil.example"}).status_code == 400
    finally:
        assert studio.close() == 0


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
