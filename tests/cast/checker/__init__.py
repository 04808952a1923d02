"""An independent checker of a rehearsal's actions.csv: it simulates the book a second time with
simple code of its own and lists every violation of the rules. It does not use ``dunning.decide``.

    violations = check(rows, facts, [plan], Setting(start=..., until=...), actions)

For each customer and each moment in local time: the facts, then what had to be sent or assigned,
then whether the rehearsal did so. Numbers in brackets are those of the rules.
"""
