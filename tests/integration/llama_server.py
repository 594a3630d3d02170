"""A llama-server of the tests' own: reads one JSON line of settings, prints its address, ends with its stdin.

Run as a program; it is what `hexcore models use http://…/v1` is pointed at.
"""

from __future__ import annotations

import json
import os
import sys

import xllamacpp


def main() -> None:
    settings = json.loads(sys.stdin.readline())
    parameters = xllamacpp.CommonParams()
    parameters.model.path = settings["model"]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [settings["key"]]
    parameters.n_ctx = settings["context_tokens"]
    parameters.n_parallel = 1
    parameters.n_batch = 64
    parameters.n_ubatch = 64
    parameters.endpoint_slots = True
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    sys.stdout.write(json.dumps({"address": server.listening_address}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
