"""The example of the README does what it says, copied word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_example_of_the_readme_runs_as_it_stands():
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"aig-\w{17} created", lines[0]), done.stdout
    running = [line for line in lines if re.fullmatch(r"p-\w{17} RUNNING \['alice'\]", line)]
    assert len(running) == 1, done.stdout
    assert lines[-1] == "deleted", done.stdout
