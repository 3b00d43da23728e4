"""``python -m offscribe.worker``: started by the supervisor, not by people."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from offscribe import guard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--model-path", type=Path)
    parser.add_argument("--load", type=json.loads, default={}, help="LoadOptions as JSON")
    parser.add_argument("--idle-unload-s", type=float, default=0.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    guard.prepare_environment()
    run(arguments)


def run(arguments: argparse.Namespace) -> None:
    # Imported after the environment is prepared: libraries read it at import.
    from offscribe.events import OutboundAttempt
    from offscribe.home import Home
    from offscribe.shelf.shelf import Shelf
    from offscribe.store.database import Database
    from offscribe.store.jobs import Jobs
    from offscribe.store.records import Records
    from offscribe.types import LoadOptions
    from offscribe.worker.models import Models
    from offscribe.worker.work import Bench
    from offscribe.worker.worker import Worker, claim_stdout, ignore_interrupts, listen

    say = claim_stdout()
    ignore_interrupts()
    guard.install(lambda target: say(OutboundAttempt(target)))
    home = Home(arguments.home)
    database = Database(home.database)
    models = Models(
        Shelf(home.models), LoadOptions(**arguments.load), extra=arguments.model_path, say=say
    )
    worker = Worker(
        arguments.owner,
        Bench(home, Jobs(database), Records(database), models),
        say,
        idle_unload_s=arguments.idle_unload_s,
    )
    listen(worker, sys.stdin)
    worker.preload(arguments.model)
    worker.work()


if __name__ == "__main__":
    main()
