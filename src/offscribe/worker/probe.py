"""``python -m offscribe.worker.probe``: the devices of this machine, as every installed engine sees
them.

In a process of its own, because asking means importing the libraries, and a broken GPU driver can
take a process down.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from offscribe import guard
from offscribe.engines.registry import missing_modules, specs


def main() -> None:
    guard.install()
    answers = {
        spec.name: [asdict(report) for report in spec.devices()]
        for spec in specs()
        if not missing_modules(spec)
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
