"""`python app.py …`: arguments, then the studio; see `dashboards.studio`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from annotate.users import FIRST, add_users_command, run_users
from reward.errors import RewardError


def parser() -> argparse.ArgumentParser:
    """The command line of the studio."""
    arguments = argparse.ArgumentParser(
        prog="app.py", description="The reward studio: rate images, train a reward model on the ratings, analyse it."
    )
    arguments.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        metavar="DIR",
        help="the project: images/<prompt_id>/…, prompts.csv; without images, the sample is shown (default: data)",
    )
    arguments.add_argument(
        "--outputs", type=Path, default=Path("outputs"), metavar="DIR", help="holds a folder a run (default: outputs)"
    )
    arguments.add_argument(
        "--allow",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a further folder whose files trainings may read; may be given several times",
    )
    arguments.add_argument("--port", type=int, default=7860, help="port on this computer (default: 7860)")
    arguments.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="listen there; any but this computer's own (127.0.0.1) needs accounts, 0.0.0.0 is all of them",
    )
    arguments.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name under which browsers reach the studio; may be given several times",
    )
    arguments.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="certificate (PEM): serve https; with --tls-key"
    )
    arguments.add_argument("--tls-key", type=Path, metavar="FILE", help="private key of --tls-cert (PEM)")
    add_users_command(arguments.add_subparsers(dest="command", metavar="users …"))
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0 then, 2 for arguments that can't be used, 1 for anything else a person can cause."""
    given = parser().parse_args(argv)
    try:
        if given.command == "users":
            run_users(given)
            return 0
        return _serve(given)
    except RewardError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _serve(given: argparse.Namespace) -> int:
    if not 0 <= given.port <= 65535:
        return _refuse(f"--port {given.port}: a port is a number from 0 to 65535")
    from annotate.accounts import accounts_exist
    from annotate.project import Project
    from dashboards.listening import Listening

    listening = Listening(given.host, given.port, tuple(given.allow_host), given.tls_cert, given.tls_key)
    if listening.others_reach_it and not accounts_exist(Project(given.data).database):
        asked = "".join(f" --allow-host {name}" for name in given.allow_host)
        where = "" if given.data == Path("data") else f" --data {given.data}"
        return _refuse(
            f"--host {given.host}{asked}: other computers reach it there, so people have to sign in, and there are no "
            f"accounts yet. Make the first: {FIRST}{where}"
        )
    from dashboards.studio import Settings, serve

    serve(Settings(given.data, given.outputs, tuple(given.allow)), listening)
    return 0


def _refuse(message: str) -> int:
    print(f"app.py: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
