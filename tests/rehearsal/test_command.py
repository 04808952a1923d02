"""``dunning rehearse`` as it is typed: what it writes, and what it refuses before it starts."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import cli
from rehearsal.report import Summary
from rehearsal.script import Files, Script, read_script
from tests.rehearsal.conftest import HEADER, judged

PLAN = """
name = "mine"
contact_delay_days = 5
[[steps]]
key = "s1"
type = "email"
automatic = true
trigger = {from = "due", days = 1}
subject = "{{ invoice.number }}"
body = "{{ invoice.balance }}"
[[steps]]
key = "talk"
type = "call"
trigger = {from = "due", days = 8}
"""
ROW = "c1,Ada,ada@example.com,INV-1,2025-02-03,2025-03-03,100.00,EUR,,,"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "book.csv").write_text(f"{HEADER}\n{ROW}\n")
    (tmp_path / "facts.csv").write_text("at,kind,customer,invoice,value\n")
    return tmp_path


def words(folder: Path, *more: str) -> list[str]:
    command = (
        f"rehearse {folder}/book.csv --plan {folder}/plan.toml --from 2025-02-20"
        f" --until 2025-03-20 --out {folder}/out"
    )
    return [*command.split(), *more]


def script_of(folder: Path, facts: Path | None = None, **settings: Any) -> Script:
    """The script of the files, as the command reads it."""
    files = Files(folder / "book.csv", [folder / "plan.toml"], facts=facts)
    return read_script(files, date(2025, 2, 20), date(2025, 3, 20), **settings)


def test_a_book_from_the_command_line(folder: Path) -> None:
    """On services of its own, which end with it; the owner takes two days for a call."""
    (folder / "facts.csv").write_text(
        "at,kind,customer,invoice,value\n2025-03-05,payment,c1,INV-1,1.00\n"
        "2025-03-05,complete,c1,,nothing is open yet\n"
    )
    main = [sys.executable, "-c", "from cli import main; main()"]
    done = subprocess.run(
        [*main, *words(folder, "--manual-days", "2", "--facts", str(folder / "facts.csv"))],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(cli.__file__).parent,
    )
    assert done.returncode == 0, done.stderr
    assert "2 actions for 1 customers and 1 invoices" in done.stdout
    assert "refused: facts line 3" in done.stderr
    with (folder / "out" / "actions.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["at", "customer", "invoice", "step", "type", "automatic", "status", "reason"],
        ["2025-03-04T08:30:00+01:00", "c1", "INV-1", "s1", "email", "true", "done", ""],
        ["2025-03-13T10:00:00+01:00", "c1", "INV-1", "talk", "call", "false", "done", ""],
    ]
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert summary["steps"] == {"s1": {"done": 1}, "talk": {"done": 1}}
    assert (summary["messages"], summary["customers"]) == (1, 1)
    script = script_of(folder, folder / "facts.csv", manual_days=2)
    assert judged(script, folder / "out", Summary(**summary)).violations == []


BOOKS = [
    ("a,b\n1,2\n", "no column for customer"),
    ("", "book.csv"),
    (
        f"{HEADER}\n{ROW}\n{ROW.replace('100.00', '90.00')}\n",
        "line 3, invoice: 'INV-1' is in line 2 with another content",
    ),
    (f"{HEADER}\n{ROW.replace('100.00', '1e99')}\n", "line 2, total"),
    (f"{HEADER}\n{ROW.replace('2025-03-03', '03/03/2025')}\n", "line 2, due_on"),
    (
        f"{HEADER}\n{ROW.replace('EUR,,,', 'EUR,,harsh,')}\n",
        "line 2, plan: no plan 'harsh' is loaded",
    ),
    (f"{HEADER},parent\n{ROW},boss\n", "line 2, parent: the book has no customer 'boss'"),
    (f"{HEADER}\n{ROW}\0\n", "NUL"),
]
PLANS = [
    ("name = ", "plan.toml"),
    ("name = 'p'", "has no steps"),
    (PLAN.replace("invoice.balance", "invoice.blance"), "s1"),
    (PLAN.replace('"email"', '"pigeon"'), "step s1"),
]
FACTS = [
    ("2025-03-05,party,c1,INV-1,", "line 2, kind: 'party' is not one of"),
    ("2025-13-05,void,c1,INV-1,", "line 2, at"),
    ("2025-03-05,void,c2,INV-1,", "line 2, customer: the book has no customer"),
    ("2025-03-05,void,c1,INV-2,", "line 2, invoice: customer 'c1' has no invoice"),
    ("2025-03-05,plan,c1,,harsh", "line 2, value: no plan 'harsh' is loaded"),
    ("2025-03-05,payment,c1,INV-1,1.005", "value: 1.005 has more decimals"),
    ("2025-03-05,payment,c1,INV-1,1.00 USD", "value: invoice 'INV-1' is in"),
]
OPTIONS = [
    ("--until 2025-02-19", "--until 2025-02-19 is before --from 2025-02-20"),
    ("--timezone Europe/Atlantis", "time zone 'Europe/Atlantis' is not a name of"),
    ("--timezone ../../etc/passwd", "time zone"),
    ("--working-days mon-sat-sun", "working days 'mon-sat-sun'"),
    ("--holidays XX", "holidays 'XX'"),
    ("--plan {folder}/plan.toml", "two plans are called 'mine'"),
    ("--plan {folder}/none.toml", "none.toml"),
    ("--map {folder}/plan.toml", "plan.toml"),
    ("--facts {folder}/none.csv", "none.csv"),
]
#: The file that is bad, its text, the options, and what is said.
BAD = [
    *(("book.csv", text, "", said) for text, said in BOOKS),
    *(("plan.toml", text, "", said) for text, said in PLANS),
    ("facts.csv", "at,kind\n", "--facts {folder}/facts.csv", "no column for customer"),
    *(
        (
            "facts.csv",
            f"at,kind,customer,invoice,value\n{line}\n",
            "--facts {folder}/facts.csv",
            said,
        )
        for line, said in FACTS
    ),
    *(("", "", options, said) for options, said in OPTIONS),
]


@pytest.mark.parametrize("bad", BAD, ids=[said[:40] for _, _, _, said in BAD])
def test_bad_input_is_refused_before_anything_starts(
    bad: tuple[str, str, str, str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, text, options, said = bad
    if name:
        (folder / name).write_text(text)
    more = options.format(folder=folder).split()
    monkeypatch.setattr(sys, "argv", ["dunning", *words(folder, *more)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 1, told
    assert said in told
    assert not (folder / "out").exists()


def test_bad_rows_may_be_left_out(folder: Path) -> None:
    more = (
        ROW.replace("INV-1", "INV-2").replace("EUR,,,", "EUR,,harsh,"),
        ROW.replace("100.00", "x"),
    )
    (folder / "book.csv").write_text("\n".join([HEADER, ROW, *more, ""]))
    script = script_of(folder, skip_bad_rows=True)
    assert [row.invoice for row in script.rows] == ["INV-1"]
