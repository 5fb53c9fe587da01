"""The page at ``/docs``: the OpenAPI document to read, made here, so that it works without a network and without scripts.

Owns the page's look. Everything it shows comes from the document and is escaped.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a7d6c; }
@media (prefers-color-scheme: dark) { :root { --accent: #4fd1bd; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { margin: 0; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.1rem; }
p { margin: .4rem 0; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { padding: .55rem .8rem; cursor: pointer; display: flex; gap: .7rem; flex-wrap: wrap; align-items: baseline; }
summary:hover { background: var(--soft); }
.method { font: 600 .8rem ui-monospace, monospace; color: var(--accent); min-width: 3.6rem; }
code, pre { font: .86rem/1.45 ui-monospace, monospace; }
.path { font-weight: 600; overflow-wrap: anywhere; }
.inside { padding: 0 .9rem .8rem; border-top: 1px solid var(--line); }
pre { background: var(--soft); padding: .7rem; border-radius: .4rem; overflow: auto; max-height: 26rem; margin: .4rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; } th { text-align: left; }
td, th { padding: .25rem .6rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.quiet { opacity: .75; }
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """Return the page for one OpenAPI document."""
    about = document.get("info", {})
    head = f"<h1>{escape(about.get('title', ''))}</h1><p>{escape(about.get('summary', '') or '')}</p>"
    hint = (
        '<p class="quiet">Every path but the open ones takes <code>Authorization: Bearer KEY</code>. '
        'The document itself: <a href="openapi.json">openapi.json</a>.</p>'
    )
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(about.get('title', ''))}</title><style>{_STYLE}</style></head><body>"
        f"{head}{hint}{''.join(_groups(document))}<h2>Shapes</h2>{schemas}</body></html>"
    )


def _groups(document: Mapping[str, Any]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, operations in document.get("paths", {}).items():
        for method in _METHODS:
            operation = operations.get(method)
            if operation is not None:
                group = (operation.get("tags") or ["interface"])[0]
                groups.setdefault(group, []).append(_operation(method, path, operation))
    for group, parts in sorted(groups.items(), key=lambda pair: pair[0] == "about this service"):
        yield f"<h2>{escape(group)}</h2>{''.join(parts)}"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    told = operation.get("description", "")
    parameters = "".join(_parameter(parameter) for parameter in operation.get("parameters", ()))
    table = f"<table><tr><th>parameter</th><th>in</th><th>form</th><th></th></tr>{parameters}</table>" if parameters else ""
    body = operation.get("requestBody", {}).get("content", {})
    answers = {status: answer for status, answer in operation.get("responses", {}).items() if status.startswith("2")}
    return (
        f'<details><summary><span class="method">{method.upper()}</span><code class="path">{escape(path)}</code>'
        f'<span class="quiet">{escape(operation.get("summary", ""))}</span></summary><div class="inside">'
        f"{''.join(f'<p>{escape(line)}</p>' for line in told.split(chr(10)) if line.strip())}{table}"
        f"{_content('Body', body)}"
        f"{''.join(_content(f'Answer {status}', answer.get('content', {})) for status, answer in answers.items())}</div></details>"
    )


def _parameter(parameter: Mapping[str, Any]) -> str:
    name = escape(parameter["name"]) + (" *" if parameter.get("required") else "")
    form = escape(_form(parameter.get("schema", {})))
    told = escape(parameter.get("description", ""))
    return f"<tr><td><code>{name}</code></td><td>{escape(parameter['in'])}</td><td>{form}</td><td>{told}</td></tr>"


def _content(title: str, content: Mapping[str, Any]) -> str:
    return "".join(
        f"<p><b>{escape(title)}</b> <code>{escape(media)}</code></p><pre>{escape(_form(described.get('schema', {})))}</pre>"
        for media, described in content.items()
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    return (
        f'<details id="{escape(name)}"><summary><code class="path">{escape(name)}</code></summary>'
        f'<div class="inside"><pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre></div></details>'
    )


def _form(schema: Mapping[str, Any]) -> str:
    """Return a schema in a word or two when it is simple, as JSON when it is not."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"list of {_form(schema['items'])}"
    if "anyOf" in schema:
        return " or ".join(_form(part) for part in schema["anyOf"])
    if "allOf" in schema:
        return " with ".join(_form(part) for part in schema["allOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if set(schema) <= {"type", "title", "format", "default", "minimum", "maximum", "maxLength", "minLength", "description", "pattern"}:
        return str(schema.get("format") or schema.get("type", "any"))
    return json.dumps(schema, indent=2, ensure_ascii=False)
