"""A book as a file: stored whole or not at all, and every bad row is named."""

from __future__ import annotations

from stand_ins.office import Office
from tests.cast.imported import CSV, refused, taken

HEADER = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
BOOK = f"""\
{HEADER}
C-1,Acme,eve@acme.example,INV-1,2025-02-01,2025-03-03,100.00,EUR,
C-2,"Borealis, Sons",,INV-2,2025-02-01,2025-03-03,50.00,EUR,2025-03-01
C-1,Acme,eve@acme.example,INV-3,2025-02-05,2025-03-07,20.00,EUR,
"""


BAD = """\
,Nobody,,INV-4,2025-02-01,,1.00,EUR,
C-3,Corvus,corvus,INV-5,2025-02-30,,1.00,EUR,
C-3,Corvus,,INV-6,2025-02-01,2025-01-01,1.00,EUR,
C-3,Corvus,,INV-7,2025-02-01,,1.001,EUR,
C-3,Corvus,,INV-8,2025-02-01,,1.00,EURO,
C-3
"""


MAP = """\
customer = "Kunde"
invoice = "Beleg"
issued_on = {column = "Datum", date_format = "%d.%m.%Y"}
due_on = {column = "Faellig", date_format = "%d.%m.%Y"}
total = "Betrag"
decimal = ","
currency = "EUR"
paid_on = {column = "Bezahlt", date_format = "%d.%m.%Y"}
"""


def test_the_same_book_twice_changes_nothing(office: Office) -> None:
    first = taken(office, BOOK)
    assert (first["customers"], first["invoices"], first["payments"]) == (2, 3, 1)
    assert (first["skipped"], first["bad_rows"]) == (0, [])
    assert office.nudges() == ["account_changed"] * 2
    assert office.billing.get("/invoices/INV-2")["status"] == "paid"
    assert office.billing.get("/customers/C-2")["name"] == "Borealis, Sons"
    again = taken(office, BOOK)
    assert (again["customers"], again["invoices"], again["payments"]) == (0, 0, 0)
    assert again["unchanged"] == 3
    assert office.nudges() == []


def test_a_bad_book_stores_nothing_and_names_every_bad_row(office: Office) -> None:
    bad = BOOK + BAD
    places = [where for where, _ in refused(office, bad)]
    assert places == [
        "line 5, customer",
        "line 6, email",
        "line 6, issued_on",
        "line 7, due_on",
        "line 8, total",
        "line 9, currency",
        "line 10",
    ]
    assert office.billing.get("/invoices")["items"] == []
    done = taken(office, bad, skip_bad_rows=True)
    assert (done["invoices"], done["skipped"]) == (3, 6)
    assert done["bad_rows"][0] == {"line": 5, "column": "customer", "reason": "is empty"}
    assert len(office.billing.get("/invoices")["items"]) == 3


def test_files_of_other_programs(office: Office) -> None:
    assert (
        taken(
            office,
            b"\xef\xbb\xbf"
            + BOOK.replace(",", ";").replace('"Borealis; Sons"', '"Borealis; Sons"').encode(),
        )["invoices"]
        == 3
    )
    foreign = "Kunde;Beleg;Datum;Faellig;Betrag;Bezahlt\nK1;R1;01.02.2025;03.03.2025;1234,50;\n"
    files = {
        "file": ("op.csv", foreign.encode("cp1252"), "text/csv"),
        "map": ("map.toml", MAP.encode(), "application/toml"),
    }
    answer = office.billing("POST", "/imports", files=files)
    assert answer.status_code == 200, answer.text
    assert office.billing.get("/invoices/R1")["total"] == "1234.50"
    foreign = foreign.replace("R1", "R2")
    answer = office.billing("POST", "/imports", files={"file": foreign}, data={"map": MAP})
    assert answer.status_code == 200, answer.text
    wrong = office.billing.fails(
        422, "POST", "/imports", files={"file": foreign}, data={"map": "customer = ["}
    )
    assert wrong["errors"][0]["where"] == "/map"


def test_files_that_are_no_book_are_refused(office: Office) -> None:
    for content in (
        b"",
        b"\x00" * 1000,
        b"a,b,c\n1,2,3\n",
        HEADER.encode() + b'\nC-1,"',
        b"\xff\xfe",
    ):
        told = office.billing.fails(422, "POST", "/imports", content=content, headers=CSV)
        assert told["detail"]
    office.billing.fails(415, "POST", "/imports", content=b"x", headers={"Content-Type": "x/y"})
    office.billing.fails(415, "POST", "/imports", content=b"x")
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    office.billing.fails(422, "POST", "/imports", content=b"--x--", headers=broken)
    office.billing.fails(
        400, "POST", "/imports", content=b"x", headers={"Content-Type": "multipart/form-data"}
    )
    office.billing.fails(422, "POST", "/imports", files={"map": MAP})
    office.ben.fails(403, "POST", "/imports", content=BOOK, headers=CSV)


def test_bad_rows_are_grouped_by_cause_with_what_to_put_into_the_map(office: Office) -> None:
    rows = "".join(f"C-{n},,,INV-{n},2025-02-01,,{n}.7899999999995,EUR,\n" for n in range(1, 6))
    told = office.billing.fails(
        422,
        "POST",
        "/imports",
        content=f"{HEADER}\n{rows}C-9,,,INV-9,2025-02-01,,,EUR,\n",
        headers=CSV,
    )
    assert told["causes"] == [
        {
            "column": "total",
            "reason": "has more decimals than EUR, which has 2",
            "rows": 5,
            "lines": [2, 3, 4],
            "example": "1.7899999999995",
            "map": "round = true",
        },
        {
            "column": "total",
            "reason": "is empty",
            "rows": 1,
            "lines": [7],
            "example": "",
            "map": "",
        },
    ]
    files = {"file": (HEADER + "\n" + rows).encode(), "map": b"round = true"}
    answer = office.billing("POST", "/imports", files=files)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["rounded"], answer.json()["causes"]) == (5, [])
    assert office.billing.get("/invoices/INV-1")["total"] == "1.79"


def test_rows_that_contradict_the_database_are_grouped_too(office: Office) -> None:
    taken(office, BOOK)
    other = BOOK.replace("C-1,Acme", "C-7,Other")
    told = office.billing.fails(422, "POST", "/imports", content=other, headers=CSV)
    assert [(c["column"], c["reason"], c["rows"], c["lines"]) for c in told["causes"]] == [
        ("customer", "is not the customer of the invoice", 2, [2, 4])
    ]
