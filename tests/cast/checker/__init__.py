"""An independent reader of a rehearsal's actions.csv: lives the book a second time, in its own
simple way, and lists every violation of the rules. It knows nothing of ``dunning.decide``.

    violations = check(rows, facts, [plan], Setting(start=..., until=...), actions)

One customer at a time, moment by moment in local time: what happened, then what had to leave or be
shown at that moment, then whether it did. Numbers in brackets are those of the rules.
"""
