"""Serve Offscribe from this checkout, with the checkout as home.

python app.py [--model-path models/whisper-base] [--device auto|cpu|cuda|mps] [--port 7860]

Takes the options of ``offscribe serve``; ``--home DIR`` chooses another home.
"""

import os
import sys
from pathlib import Path

from offscribe.home import ENV_HOME

os.environ.setdefault(ENV_HOME, str(Path(__file__).resolve().parent))
sys.argv[1:1] = ["serve"]

from offscribe.cli.main import main  # noqa: E402  # after the home is set

if __name__ == "__main__":
    main()
