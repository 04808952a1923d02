"""Names that other programs give to the columns of a book."""

from __future__ import annotations

#: Headers of other programs, normalised (books/header.py), the most likely first: English, German,
#: French, Spanish.
_HEADERS = {
    "customer": """
        customer customer_id customer_number customer_no cust_number cust_no cust_id client_id
        client client_number account_id account_number account_no debtor debtor_no kunde
        kundennummer kunden_nr kd_nr kdnr debitor debitorennummer code_client no_client
        numero_client cliente codigo_cliente id_cliente nif
    """,
    "customer_name": """
        customer_name cust_name name_customer name client_name account_name company company_name
        firma kundenname name_1 nom nom_client raison_sociale nombre nombre_cliente razon_social
    """,
    "email": """
        email e_mail mail email_address customer_email billing_email courriel correo
        correo_electronico
    """,
    "invoice": """
        invoice invoice_number invoice_no invoice_id inv_no doc_id doc_no document
        document_number document_no number reference beleg belegnummer beleg_nr rechnung
        rechnungsnummer rechnungs_nr re_nr facture numero_facture no_facture piece factura
        numero_factura n_factura
    """,
    "issued_on": """
        issued_on issue_date issued invoice_date document_create_date document_date doc_date
        posting_date posted date created created_at baseline_create_date rechnungsdatum
        belegdatum datum date_facture date_emission date_de_facture fecha fecha_factura
        fecha_emision
    """,
    "due_on": """
        due_on due_date due due_in_date net_due_date payable payment_due maturity faellig fällig
        fällig_am faellig_am fälligkeit faelligkeit fälligkeitsdatum zahlbar_bis echeance
        échéance date_echeance date_d_echeance vencimiento fecha_vencimiento
    """,
    "total": """
        total amount total_amount invoice_amount total_open_amount gross gross_amount amount_due
        value brutto betrag bruttobetrag rechnungsbetrag summe montant montant_ttc total_ttc ttc
        importe importe_total
    """,
    "currency": """
        currency invoice_currency currency_code curr ccy waehrung währung devise monnaie moneda
        divisa
    """,
    "paid_on": """
        paid_on paid paid_date date_paid payment_date settled settled_date settlement_date
        cleared clear_date clearing_date cleared_on bezahlt bezahlt_am ausgeglichen
        ausgeglichen_am zahlungsdatum paye_le payé_le date_paiement date_de_paiement regle_le
        réglé_le date_reglement pagado fecha_pago fecha_cobro
    """,
    "phone": "phone telephone mobile phone_number telefon téléphone telefono",
    "language": "language lang sprache langue idioma",
    "country": "country country_code land pays pais país",
    "terms_days": "terms_days payment_terms terms net_days zahlungsziel",
}
HEADERS = {field: tuple(names.split()) for field, names in _HEADERS.items()}
