"""Start one process, wait for it and print what it took, as JSON. Run as a small process of its own.

A child's peak memory counts from the fork, when it still is a copy of its parent: started from the benchmark, which
holds pictures, every child would seem to have held them too.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run `launch.py LOG WORDS...`; standard output and error of the child go to the file LOG."""
    log, *words = sys.argv[1:]
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    began = time.perf_counter()
    child = os.posix_spawnp(words[0], words, os.environ,
                            file_actions=[(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)])
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": usage.ru_maxrss * unit,
                      "cpu": usage.ru_utime + usage.ru_stime}))


if __name__ == "__main__":
    main()
