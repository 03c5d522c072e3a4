"""The table of all verbs for docs/dialplan.md, made of the registry.

The document holds it between two markers; `docs/make_dialplan.py` puts it there, and a test holds
the document to it. So a verb, an argument or a default that changes cannot be documented wrongly.
"""

from __future__ import annotations

from typing import Any, Final

from pbx.ivr.verbs import VERBS
from pbx.plan.step import Parameter, VerbSchema
from pbx.plan.vocabulary import LATER_ARGUMENTS

BEGIN: Final = "<!-- verbs: written by docs/make_dialplan.py -->"
END: Final = "<!-- end of verbs -->"

_HEAD: Final = "| verb | does | inputs, inside it | outcomes, beside it |\n|---|---|---|---|"


def verb_table() -> str:
    """Return the verbs in Markdown: what each does, its inputs with how they are written and their
    defaults, and its outcomes."""
    return "\n".join((_HEAD, *(_row(verb.schema) for verb in VERBS.values())))


def with_verbs(document: str) -> str:
    """Return a document with the table between its markers. Raises ValueError without markers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{verb_table()}\n\n{END}{after}"


def _row(schema: VerbSchema) -> str:
    summary = "Not in this version yet." if schema.later else schema.summary
    inputs = [_input(schema, parameter) for parameter in schema.parameters.values()]
    inputs += [
        f"`{argument}`: not in this version yet"
        for verb, argument in sorted(LATER_ARGUMENTS)
        if verb == schema.name
    ]
    cells = (f"`{schema.name}`", summary, "; ".join(inputs), _outcomes(schema))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells).rstrip() + " |"


def _input(schema: VerbSchema, parameter: Parameter) -> str:
    name = f"`{parameter.name}`"
    if parameter.name == schema.main:
        name = f"**{name}**"
    written = f"{name}: {parameter.type.written}"
    if parameter.required:
        return written
    return f"{written} ({_shown(parameter.default)})"


def _shown(default: Any) -> str:
    """Return a default as the file would write it."""
    match default:
        case None:
            return "optional"
        case bool():
            return "yes" if default else "no"
        case float():
            return f"{default:g}s"
        case (least, most):
            return f"{least}" if least == most else f"{least}-{most}"
        case _:
            return str(default)


def _outcomes(schema: VerbSchema) -> str:
    names = [f"`{name}`" + " (needed)" * (name in schema.required) for name in schema.outcomes]
    return ", ".join([*(["any value"] if schema.values else []), *names])
