"""Run a script in a forked process as a new interpreter would run it, from its arguments to its exit code."""

import atexit
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NoReturn

# Packages that jobs import only when they need them. What one job has imported, later ones find loaded. PyTorch and
# others are left out: they start threads or read the job's number of threads from the environment.
SHARED = frozenset({"PIL", "av", "filelock", "imagehash", "imageio_ffmpeg", "jinja2", "numpy", "pandas", "psutil",
                    "pyarrow", "requests", "scripts", "snakemake", "urllib3", "yaml", "yt_dlp"})  # fmt: skip


def run_as_main(
    arguments: list[str], folder: str, environment: dict[str, str], teach: Callable[[Iterable[str]], None]
) -> NoReturn:
    """Run a script as a new interpreter would, and end this process as it would end."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    time.tzset()
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).parent)
    loaded = set(sys.modules)
    code = _code_of(arguments[0])
    teach(name for name in set(sys.modules) - loaded if name.partition(".")[0] in SHARED)
    if code == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def _code_of(script: str) -> int:
    """Run a script with all that an interpreter does at its end, and return the exit code; negative for a signal."""
    try:
        main = ModuleType("__main__")
        main.__file__ = script
        sys.modules["__main__"] = main
        exec(compile(Path(script).read_bytes(), script, "exec", dont_inherit=True), main.__dict__)  # noqa: S102
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException as error:
        trace = error.__traceback__ and error.__traceback__.tb_next  # without the line above
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        code = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    return code
