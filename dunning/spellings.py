"""The same email address in different spellings: case, and international domains."""

from __future__ import annotations


def lower_case(address: str) -> str:
    """As PostgreSQL's ``lower()``, letter by letter. Python's ``lower()`` turns "İ" into two
    letters and "Σ" into one of two forms, so the address would not be found in the database."""
    return "".join("i" if letter == "İ" else letter.lower() for letter in address)


def spellings(address: str) -> set[str]:
    """The lower-case forms in which a reported email address may be stored.

    Providers report an international domain in ASCII (``xn--``); it is stored as it was written.
    """
    lower = lower_case(address)
    name, at, domain = lower.rpartition("@")
    try:
        labels = [
            label.removeprefix("xn--").encode().decode("punycode")
            if label.startswith("xn--")
            else label
            for label in domain.split(".")
        ]
    except UnicodeError:
        return {lower}
    return {lower, f"{name}{at}{'.'.join(labels)}"}
