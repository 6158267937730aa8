"""`/docs`: every endpoint on one page, without scripts or external resources."""

import jinja2
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from clearcnn.web import schemas

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>clearcnn · endpoints</title>
<style>
  :root { color-scheme: light dark; }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui; }
  h2 { margin: 2.5rem 0 0.25rem; overflow-wrap: anywhere; }
  h2 { font: 600 1rem/1.5 ui-monospace, monospace; }
  h2 span { padding: 0 0.4em; border: 1px solid; border-radius: 0.3em; }
  pre { padding: 0.75rem; overflow-x: auto; border: 1px solid GrayText; border-radius: 0.3em; }
  table { border-collapse: collapse; }
  td { padding: 0.1rem 1rem 0.1rem 0; vertical-align: top; }
  td { overflow-wrap: anywhere; }
  td:first-child { font-family: ui-monospace, monospace; }
</style>
<h1>{{ api.info.title }} {{ api.info.version }}</h1>
<p>{{ api.info.summary }} Machine-readable: <a href="openapi.json">openapi.json</a>.</p>
<pre>curl --data-binary @picture.png -H 'Content-Type: image/png' {{ base }}/predict
curl -F files=@one.png -F files=@two.png {{ base }}/predict
curl {{ base }}/v2/models/{{ model }}</pre>
<p>Every error is <code>{"error": "…"}</code>: what is wrong and what to do.</p>
{% for path, methods in api.paths.items() %}{% for method, about in methods.items() %}
<section>
<h2><span>{{ method | upper }}</span> {{ path }}</h2>
<p>{{ about.description or about.summary }}</p>
<table>
{% for parameter in about.parameters or () %}<tr><td>{{ parameter.name }}</td>
<td>in the {{ parameter.in }}{{ "" if parameter.required else ", optional" }}.
{{ parameter.description or "" }}</td></tr>
{% endfor %}{% for kind in (about.requestBody or {}).content or () %}<tr><td>{{ kind }}</td>
<td>as the body</td></tr>
{% endfor %}{% for status, answer in about.responses.items() %}<tr><td>{{ status }}</td>
<td>{{ answer.description }}{% if status == "200" %} {{ answer.content | join(" or ") }}{% endif %}
</td></tr>
{% endfor %}</table>
</section>
{% endfor %}{% endfor %}
"""


def make_docs_router(app: FastAPI, model: str) -> APIRouter:
    """Make the endpoint /docs.

    Args:
      app: the application whose endpoints are shown.
      model: a model's name, for the example.
    """
    router = APIRouter(tags=["Server"])
    page = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(_PAGE)

    @router.get("/docs", response_class=HTMLResponse, responses=schemas.describe_responses())
    async def show_docs(request: Request) -> HTMLResponse:
        """This page."""
        base = str(request.base_url).rstrip("/")
        text = page.render(api=app.openapi(), model=model, base=base)
        return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})

    return router
