"""Everything on one machine: ``dunning serve`` and its embedded servers."""
