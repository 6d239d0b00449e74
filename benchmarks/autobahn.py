"""The Autobahn|Testsuite's fuzzing client against `/echo` of the real server: 0 failed, every non-strict verdict explained.

    python -m benchmarks.autobahn [--cases 1.*,2.*]        scripts/autobahn does the same

The suite is Python 2.7 code of its own licence: nothing of it is kept here. It is installed, pinned, under the
user's cache when a Python 2.7 is found ($AUTOBAHN_PYTHON, PATH, pyenv); where none is, this says so and ends well.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.fleet import voicestream
from benchmarks.measure import Report

CASES = "1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*"  # 12 and 13 are deflate, which is never negotiated
NON_STRICT = {
    "6.4.3": "bad UTF-8 inside one frame sent in pieces: refused (1007) when the frame is whole; RFC 6455 8.1 leaves the time open",
    "6.4.4": "as 6.4.3, byte by byte",
}
PINNED = [
    "autobahntestsuite==25.10.1", "Twisted==19.10.0", "autobahn==0.10.9", "txaio==2.1.0", "klein==17.10.0", "pyOpenSSL==19.1.0",
    "zope.interface==5.5.2", "Automat==20.2.0", "constantly==15.1.0", "hyperlink==21.0.0", "incremental==21.3.0", "attrs==21.4.0",
    "PyHamcrest==1.10.1", "six==1.17.0", "cryptography==3.3.2", "cffi==1.15.1", "pycparser==2.21", "enum34==1.1.10",
    "ipaddress==1.0.23", "idna==2.10", "typing==3.10.0.0", "Werkzeug==0.16.1", "Jinja2==2.11.3", "MarkupSafe==1.1.1",
    "unittest2==1.1.0", "traceback2==1.4.0", "linecache2==1.0.0", "argparse==1.4.0", "service_identity==18.1.0", "pyasn1==0.4.8",
    "pyasn1_modules==0.2.8",
]  # fmt: skip


def python2() -> str | None:
    """A Python 2.7, wherever it is."""
    kept = sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))
    named = os.environ.get("AUTOBAHN_PYTHON") or (str(kept[0]) if kept else shutil.which("python2.7"))
    works = named and subprocess.run([named, "-c", "import sys; sys.exit(sys.version_info[:2] != (2, 7))"], check=False).returncode == 0
    return named if works else None


def tool(python: str) -> Path:
    """The folder that holds the suite, filled the first time."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voicestream" / "autobahn"
    if not (folder / "complete").exists():
        command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *PINNED]
        subprocess.run(command, check=True, stdout=sys.stderr)
        (folder / "zope" / "__init__.py").touch()
        (folder / "complete").touch()
    return folder


def fuzz(python: str, cases: list[str]) -> dict[str, dict[str, str]]:
    """Verdicts by case number."""
    site = str(tool(python))
    with tempfile.TemporaryDirectory() as folder, voicestream(echo=True) as server:
        target = {"agent": "voicestream", "url": f"ws://127.0.0.1:{server.port}/echo"}
        spec = {"outdir": folder, "servers": [target], "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
        (Path(folder) / "spec.json").write_text(json.dumps(spec))
        command = [
            python,
            "-W",
            "ignore",
            "-c",
            "from autobahntestsuite import wstest; wstest.run()",
            "-m",
            "fuzzingclient",
            "-s",
            "spec.json",
        ]
        subprocess.run(command, check=True, cwd=folder, env=os.environ | {"PYTHONPATH": site}, stdout=subprocess.DEVNULL)
        verdicts: dict[str, dict[str, str]] = json.loads((Path(folder) / "index.json").read_text())["voicestream"]
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.autobahn", description="Autobahn|Testsuite against /echo")
    parser.add_argument("--cases", default=CASES, help="with commas; * allowed")
    options = parser.parse_args()
    report = Report("autobahn")
    python = python2()
    if python is None:
        report.say("SKIPPED: the Autobahn|Testsuite needs a Python 2.7, and none was found; set AUTOBAHN_PYTHON to one")
        return
    verdicts = fuzz(python, options.cases.split(","))
    counts = Counter(verdict["behavior"] for verdict in verdicts.values())
    failed = [case for case, verdict in verdicts.items() if "FAILED" in verdict["behavior"] or verdict["behaviorClose"] == "FAILED"]
    loose = [case for case, verdict in verdicts.items() if verdict["behavior"] == "NON-STRICT"]
    report.line(cases=len(verdicts), **counts)
    report.table(["verdict", "cases"], counts.most_common())
    for case in loose:
        report.say(f"{case} non-strict: {NON_STRICT.get(case, 'NOT EXPLAINED')}")
    for case in failed:
        report.say(f"{case} FAILED: {verdicts[case]}")
    if failed or set(loose) - set(NON_STRICT) or not verdicts:
        sys.exit(1)


if __name__ == "__main__":
    main()
