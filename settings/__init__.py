"""The settings: everything that may differ between two installations. Read once at the start.

Each setting is a variable `DUNNING_<NAME>`, or a file `dunning_<name>` in the directory that
`DUNNING_SECRETS_DIR` names (how container platforms hand over secrets); a variable wins over a
file. docs/settings.md is written from here. `temporalio.envconfig` reads the connection to Temporal
by itself (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`).
"""

from settings.loading import SECRETS_DIR, load_settings
from settings.model import Settings
from settings.values import PREFIX, SettingsError

__all__ = ["PREFIX", "SECRETS_DIR", "Settings", "SettingsError", "load_settings"]
