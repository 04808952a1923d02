"""The form of a plan as JSON Schema, and as the tables of docs/plans.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticUndefined, core_schema

from plans.fields import Absent
from plans.form import Form, PlanForm, StepForm


class _OurSchema(GenerateJsonSchema):
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A null is read as a missing field, so the schema does not offer it."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def plan_schema() -> dict[str, Any]:
    """The schema without references, because OpenAPI would resolve them in its own document."""
    schema = PlanForm.model_json_schema(schema_generator=_OurSchema)
    made: dict[str, Any] = _in_place(schema, schema.pop("$defs"))
    return made


def _in_place(part: Any, named: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_in_place(each, named) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        part = named[part["$ref"].rpartition("/")[2]] | part
    left_out = {"$ref", "title"} | ({"default"} if part.get("default", "") in (None, "") else set())
    return {key: _in_place(each, named) for key, each in part.items() if key not in left_out}


def table(form: type[Form]) -> str:
    """The fields of a plan or of a step as a table in Markdown, with their limits and defaults."""
    schema = plan_schema()
    if form is StepForm:
        schema = schema["properties"]["steps"]["items"]
    rows = ["| field | is | default |", "| --- | --- | --- |"]
    for name, field in form.model_fields.items():
        known = schema["properties"][name]
        about = ": ".join(filter(None, (_choices(known), field.description)))
        words = "; ".join(filter(None, (about, _limits(known))))
        absent = next((a.means for a in field.metadata if isinstance(a, Absent)), "")
        if field.default is PydanticUndefined:
            absent = "required"
        rows.append(f"| `{_written(name)}` | {words} | {absent or _default(known)} |")
    return "\n".join(rows)


def _written(name: str) -> str:
    """The name as it is written in TOML."""
    return {"steps": "[[steps]]", "texts": "[steps.texts.LANGUAGE]"}.get(name, name)


def _choices(known: Mapping[str, Any]) -> str:
    return ", ".join(f'`"{choice}"`' for choice in known.get("enum", ()))


def _limits(known: Mapping[str, Any]) -> str:
    if "minimum" in known:
        return f"{known['minimum']} to {known['maximum']}"
    if "minItems" in known:
        return f"{known['minItems']} to {known['maxItems']}"
    if "maxProperties" in known:
        return f"at most {known['maxProperties']}"
    if "maxLength" in known and "pattern" not in known:
        return f"at most {known['maxLength']:,} characters"
    return ""


def _default(known: Mapping[str, Any]) -> str:
    return f"`{json.dumps(known['default'])}`"
