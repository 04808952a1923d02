"""``dunning rehearse`` as it is typed: what it writes, and what it refuses before it starts."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import cli
from rehearsal.report import Summary
from rehearsal.script import Files, read_script
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
    return [
        "rehearse", str(folder / "book.csv"), "--plan", str(folder / "plan.toml"),
        "--from", "2025-02-20", "--until", "2025-03-20", "--out", str(folder / "out"), *more,
    ]  # fmt: skip


def test_a_book_from_the_command_line(folder: Path) -> None:
    """In its own services, which are gone at the end; C6 with an owner who takes two days."""
    (folder / "facts.csv").write_text(
        "at,kind,customer,invoice,value\n2025-03-05,payment,c1,INV-1,1.00\n"
        "2025-03-05,complete,c1,,nothing is open yet\n"
    )
    main = [sys.executable, "-c", "from cli import main; main()"]
    done = subprocess.run(
        [*main, *words(folder, "--manual-days", "2", "--facts", str(folder / "facts.csv"))],
        capture_output=True, text=True, timeout=120, cwd=Path(cli.__file__).parent,
    )  # fmt: skip
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
    script = read_script(
        Files(folder / "book.csv", [folder / "plan.toml"], facts=folder / "facts.csv"),
        date(2025, 2, 20),
        date(2025, 3, 20),
        manual_days=2,
    )
    assert judged(script, folder / "out", Summary(**summary)).violations == []


BAD: list[tuple[str, str, tuple[str, ...], str]] = [
    ("book.csv", "a,b\n1,2\n", (), "no column for customer"),
    ("book.csv", "", (), "book.csv"),
    ("book.csv", f"{HEADER}\n{ROW}\n{ROW.replace('100.00', '90.00')}\n", (),
     "line 3, invoice: 'INV-1' is in line 2 with another content"),
    ("book.csv", f"{HEADER}\n{ROW.replace('100.00', '1e99')}\n", (), "line 2, total"),
    ("book.csv", f"{HEADER}\n{ROW.replace('2025-03-03', '03/03/2025')}\n", (), "line 2, due_on"),
    ("book.csv", f"{HEADER}\n{ROW.replace('EUR,,,', 'EUR,,harsh,')}\n", (),
     "line 2, plan: no plan 'harsh' is loaded"),
    ("book.csv", f"{HEADER},parent\n{ROW},boss\n", (),
     "line 2, parent: the book has no customer 'boss'"),
    ("book.csv", f"{HEADER}\n{ROW}\0\n", (), "NUL"),
    ("plan.toml", "name = ", (), "plan.toml"),
    ("plan.toml", "name = 'p'", (), "has no steps"),
    ("plan.toml", PLAN.replace("invoice.balance", "invoice.blance"), (), "s1"),
    ("plan.toml", PLAN.replace('"email"', '"pigeon"'), (), "step s1"),
    ("facts.csv", "at,kind\n", (), "no column for customer"),
    ("facts.csv", "2025-03-05,party,c1,INV-1,", (), "line 2, kind: 'party' is not one of"),
    ("facts.csv", "2025-13-05,void,c1,INV-1,", (), "line 2, at"),
    ("facts.csv", "2025-03-05,void,c2,INV-1,", (), "line 2, customer: the book has no customer"),
    ("facts.csv", "2025-03-05,void,c1,INV-2,", (), "line 2, invoice: customer 'c1' has no invoice"),
    ("facts.csv", "2025-03-05,plan,c1,,harsh", (), "line 2, value: no plan 'harsh' is loaded"),
    ("facts.csv", "2025-03-05,payment,c1,INV-1,1.005", (), "value: 1.005 has more decimals"),
    ("facts.csv", "2025-03-05,payment,c1,INV-1,1.00 USD", (), "value: invoice 'INV-1' is in"),
    ("", "", ("--until", "2025-02-19"), "--until 2025-02-19 is before --from 2025-02-20"),
    ("", "", ("--timezone", "Europe/Atlantis"), "time zone 'Europe/Atlantis' is not a name of"),
    ("", "", ("--timezone", "../../etc/passwd"), "time zone"),
    ("", "", ("--working-days", "mon-sat-sun"), "working days 'mon-sat-sun'"),
    ("", "", ("--holidays", "XX"), "holidays 'XX'"),
    ("", "", ("--plan", "{folder}/plan.toml"), "two plans are called 'mine'"),
    ("", "", ("--plan", "{folder}/none.toml"), "none.toml"),
    ("", "", ("--map", "{folder}/plan.toml"), "plan.toml"),
    ("", "", ("--facts", "{folder}/none.csv"), "none.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "more", "message"), BAD, ids=[b[3][:40] for b in BAD])
def test_what_makes_no_sense_is_refused_before_anything_starts(
    name: str,
    text: str,
    more: tuple[str, ...],
    message: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if name == "facts.csv" and not text.startswith("at"):
        text = f"at,kind,customer,invoice,value\n{text}\n"
    if name:
        (folder / name).write_text(text)
    if name == "facts.csv":
        more = ("--facts", str(folder / name))
    monkeypatch.setattr(
        sys, "argv", ["dunning", *words(folder, *(m.format(folder=folder) for m in more))]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 1, told
    assert message in told
    assert not (folder / "out").exists()


def test_bad_rows_may_be_left_out(folder: Path) -> None:
    more = (
        ROW.replace("INV-1", "INV-2").replace("EUR,,,", "EUR,,harsh,"),
        ROW.replace("100.00", "x"),
    )
    (folder / "book.csv").write_text("\n".join([HEADER, ROW, *more, ""]))
    script = read_script(
        Files(folder / "book.csv", [folder / "plan.toml"]),
        date(2025, 2, 20),
        date(2025, 3, 20),
        skip_bad_rows=True,
    )
    assert [row.invoice for row in script.rows] == ["INV-1"]
