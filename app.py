"""`python app.py …`: arguments, then the studio; see `dashboards.studio`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
    arguments.add_argument("--host", help="refused until there are accounts: the studio serves this computer alone")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0 then, 2 for arguments that can't be used, 1 for anything else a person can cause."""
    given = parser().parse_args(argv)
    if given.host is not None:
        return _refuse(
            f"--host {given.host}: the studio has no accounts yet, so it serves this computer alone; leave --host out "
            "(to use it from elsewhere, forward the port: ssh -L 7860:127.0.0.1:7860 …)"
        )
    if not 0 <= given.port <= 65535:
        return _refuse(f"--port {given.port}: a port is a number from 0 to 65535")
    from dashboards.studio import Settings, serve

    try:
        serve(Settings(given.data, given.outputs, tuple(given.allow)), given.port)
    except RewardError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _refuse(message: str) -> int:
    print(f"app.py: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
