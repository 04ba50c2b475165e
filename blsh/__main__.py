"""``python -m blsh``."""

import sys

from blsh.cli.main import main

sys.exit(main())
