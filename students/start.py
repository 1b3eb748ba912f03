"""Open the notebooks in JupyterLab: `python3 start.py`. The first time it installs what they need into .venv."""

import importlib.util
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = HERE / "requirements.txt"
INSTALLED = ENVIRONMENT / "installed-requirements.txt"


def install() -> None:
    """Makes .venv, or mends one that was not finished or belongs to other versions."""
    print(f"Installing into {ENVIRONMENT}: some minutes the first time", flush=True)
    venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(PINS)], check=True)
    subprocess.run([*pip, str(HERE / "data")], check=True)
    INSTALLED.write_bytes(PINS.read_bytes())


def main() -> int:
    """Installs if need be, opens JupyterLab, and returns its exit code."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Python 3.11, 3.12 or 3.13 is needed, and this is {found}: run start.py with another one.")
    if not importlib.util.find_spec("ensurepip"):
        sys.exit("This Python cannot make environments: install its venv package (Debian: apt install python3-venv).")
    if not INSTALLED.is_file() or INSTALLED.read_bytes() != PINS.read_bytes():
        try:
            install()
        except subprocess.CalledProcessError as error:
            sys.exit(f"The installation ended with exit code {error.returncode}: see above, and run start.py again.")
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for JupyterLab, which asks back
    return subprocess.call([str(PYTHON), "-m", "jupyter", "lab", *sys.argv[1:]], cwd=HERE)


if __name__ == "__main__":
    sys.exit(main())
