"""The commands of ``dunning``, one file each."""
