"""The child process that runs llama.cpp's server; started by llama_cpp.py and by nothing else.

Its first line on stdin is JSON with all it needs, the key included; the pipe stays open as long as the parent
lives, and the child leaves at its end. It prints one JSON line when the model is loaded.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the parent's end of the pipe closes."""
    end_with_parent()
    settings = json.loads(sys.stdin.readline())
    server = start_server(settings)
    sys.stdout.write(json.dumps({"address": server.listening_address}) + "\n")
    sys.stdout.flush()
    while sys.stdin.read(4096):
        pass
    # The server's threads may be in the middle of an answer nobody waits for.
    os._exit(0)


def end_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, even while a native call holds the interpreter."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(0)


def start_server(settings: dict[str, Any]) -> Any:
    """Load the model and start the HTTP server on a free loopback port."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = settings["model"]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [settings["api_key"]]
    parameters.n_ctx = settings["context_tokens"]
    parameters.n_parallel = 1
    parameters.n_batch = 256
    parameters.n_ubatch = 256
    parameters.cache_ram_mib = settings["prompt_cache_mb"]
    parameters.cpuparams.n_threads = settings["threads"]
    parameters.cpuparams_batch.n_threads = settings["threads"]
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main()
