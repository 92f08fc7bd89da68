"""Run the command line and kill it with SIGKILL: at a change of the disk, or at a moment.

    python killer.py N verb arguments...

kills it just before its nth change of the disk. With N = 0 it runs to its end and says on stderr
how many changes it made. Changes are counted by Python's audit events, so that none is missed and
nothing of the program is replaced.

    python killer.py at MOMENT FOLDER verb arguments...

kills it right before the first step on the disk of which MOMENT, a regular expression, tells: an
event and a path below FOLDER, such as `os.rename .unitalk/staging`, or `open within NAME` of what
is opened by its name in an open folder.

    python killer.py forks

reads orders from stdin, a JSON object a line: `arguments` of the command line, `after` how many
seconds it is killed (null: it runs to its end), `said` the file that its stdout and stderr go to.
Each order is carried out by a process of its own, and answered by a line: `code`, as `Popen` has
it, and `seconds`. Such a process is forked from this one, which has imported whatever an earlier
one had to import; so it is as quick as its work is, and a hundred moments take seconds.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

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


def arm_at(moment: str, folder: str) -> None:
    def hook(event: str, arguments: tuple) -> None:
        if event not in CHANGES | {"open", "shutil.rmtree"}:
            return
        path = str(arguments[0])
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        within = event == "open" and not os.path.isabs(path)
        step = f"open within {path}" if within else f"{event} {path.removeprefix(folder + '/')}"
        if (within or path.startswith(folder + "/")) and re.match(moment, step):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def serve_forks() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        said = Path(order["said"])
        began = time.perf_counter()
        child = os.fork()
        if child == 0:
            be_the_command(order["arguments"], said, learn=order["after"] is None)
        if order["after"] is not None:
            time.sleep(order["after"])
            os.kill(child, signal.SIGKILL)  # one that has ended waits for us, so it is no other
        _, status = os.waitpid(child, 0)
        seconds = time.perf_counter() - began
        if order["after"] is None:
            learn_from(said.with_suffix(".modules"))
        answer = {"code": os.waitstatus_to_exitcode(status), "seconds": seconds}
        print(json.dumps(answer), flush=True)


def be_the_command(arguments: list[str], said: Path, *, learn: bool) -> None:
    """Be the program, in a child: what it says goes to a file, and it does not come back."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    code = 1
    try:
        main(arguments)
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:  # noqa: BLE001 - told as the interpreter would tell it
        sys.excepthook(*sys.exc_info())
    if learn:
        said.with_suffix(".modules").write_text("\n".join(sys.modules))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def learn_from(names: Path) -> None:
    """Import what a child had to import, so that the next one finds it there."""
    for name in names.read_text().split():
        if name not in sys.modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    if threading.active_count() != 1:
        raise RuntimeError("a process with threads cannot be forked")


if __name__ == "__main__":
    if sys.argv[1] == "forks":
        serve_forks()
    elif sys.argv[1] == "at":
        arm_at(sys.argv[2], sys.argv[3])
        main(sys.argv[4:])
    else:
        changes = arm(int(sys.argv[1]))
        try:
            main(sys.argv[2:])
        finally:
            print(f"changes={changes[0]}", file=sys.stderr)
