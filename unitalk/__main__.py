"""The process `unitalk`, or `python -m unitalk`; Ctrl-C is answered before anything is imported."""

from __future__ import annotations

from typing import NoReturn

from unitalk import stopping
from unitalk.cli._shared.leaving import INTERRUPTED, leave, leave_at_once, leave_when_asked, say


def main() -> NoReturn:
    """Run the command line, and leave with its code."""
    with stopping.listening(leave_at_once):
        try:
            from unitalk.cli.main import main as run

            run()
        except SystemExit as ending:
            if ending.code != INTERRUPTED:
                leave_when_asked(int(ending.code or 0))
                raise
        except BaseException:
            if not stopping.asked():
                raise
            say("unitalk: interrupted; nothing was begun")
        leave()


if __name__ == "__main__":
    main()
