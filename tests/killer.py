"""Run the command line and kill it with SIGKILL just before its nth change of the disk.

    python killer.py N verb arguments...

With N = 0 it runs to its end and says on stderr how many changes it made. Changes are counted by
Python's audit events, so that none is missed and nothing of the program is replaced.
"""

from __future__ import annotations

import os
import signal
import sys

from unitalk.cli.main import main

CHANGES = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink",
           "os.truncate"}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def arm(fatal: int) -> list[int]:
    count = [0]

    def hook(event: str, arguments: tuple) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        # Only the dataset's own files: Python writes bytecode of its own beside the program.
        if (event in CHANGES or writes) and "__pycache__" not in str(arguments[0]):
            count[0] += 1
            if count[0] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return count


if __name__ == "__main__":
    changes = arm(int(sys.argv[1]))
    try:
        main(sys.argv[2:])
    finally:
        print(f"changes={changes[0]}", file=sys.stderr)
