"""Runs command lines of az, a JSON list on standard input, and prints how each ends. One process: az takes seconds to start."""

import contextlib
import io
import json
import os
import sys

from azure.cli.core import get_default_cli

# One for all of them: az opens its log on the first that it finds.
said = io.StringIO()


def end_of(args):
    """The exit status of `az` with these arguments, and what it says."""
    said.seek(0)
    said.truncate()
    sys.stdin = io.StringIO("x")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            status = get_default_cli().invoke(args)
        except SystemExit as end:
            status = end.code
    return {"status": status, "stderr": said.getvalue()}


# What some commands print comes past `sys.stdout`.
answer = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
json.dump([end_of(args) for args in json.load(sys.stdin)], answer)
