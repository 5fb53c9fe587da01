"""What a command computes may not hang on how many cores the machine has: numerical libraries add up in one thread."""

import json
import os
import subprocess
import sys

PROGRAM = """
import contextlib, io, json
from earshot_shared.cli.main import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main(["triage", "train", "--help"])
import scipy.linalg
from threadpoolctl import threadpool_info
print(json.dumps([each["num_threads"] for each in threadpool_info()]))
"""


def test_numerical_libraries_use_one_thread_in_every_command() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
    threads = json.loads(done.stdout)
    assert threads
    assert set(threads) == {1}
