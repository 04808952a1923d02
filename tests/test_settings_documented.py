"""docs/settings.md matches settings/; `make docs` writes it."""

from __future__ import annotations

from pathlib import Path

from pydantic.fields import FieldInfo

from settings import PREFIX, SECRETS_DIR, Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = f"""# Settings

Read once at the start from environment variables, by `settings/` and nothing else. Any of them may
instead be a file: `{SECRETS_DIR}=/run/secrets` reads `/run/secrets/dunning_sendgrid_api_key` and so
on; a variable wins over a file. A setting that makes no sense stops the start with a message that
names it and never shows its value; so does a name that is almost one of these.

The connection to Temporal follows Temporal's own conventions: `TEMPORAL_ADDRESS`,
`TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_CLIENT_CERT_PATH`,
`TEMPORAL_TLS_CLIENT_KEY_PATH`, `TEMPORAL_TLS_SERVER_CA_CERT_PATH`, or a profile in a file named by
`TEMPORAL_CONFIG_FILE`. `dunning serve` uses its embedded server instead.

<!-- Written from settings/ by `make docs`: change it there. -->

| variable | default | what it does |
| --- | --- | --- |
"""


def _default(field: FieldInfo) -> str:
    return "not set" if field.default is None else f"`{field.default}`"


def page() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    secrets = (
        f"| `{SECRETS_DIR}` | not set | Directory of files that hold settings, one each, named "
        "like the variable in lower case. |"
    )
    return HEAD + "\n".join([*rows, secrets]) + "\n"


def test_every_setting_is_documented() -> None:
    assert PAGE.read_text() == page()


if __name__ == "__main__":
    PAGE.write_text(page())
