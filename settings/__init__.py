"""The settings: everything that may differ between two installations. Read once at the start.

Each setting is a variable `DUNNING_<NAME>`, or a file `dunning_<name>` in the directory
`DUNNING_SECRETS_DIR` (container platforms mount secrets as files); a variable wins over a file.
docs/settings.md is generated from here. `temporalio.envconfig` itself reads the connection to
Temporal (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`).
"""

from settings.loading import SECRETS_DIR, load_settings
from settings.model import Settings
from settings.values import PREFIX, SettingsError

__all__ = ["PREFIX", "SECRETS_DIR", "Settings", "SettingsError", "load_settings"]
