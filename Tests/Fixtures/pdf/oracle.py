"""What pyHanko thinks of signed PDFs.

usage: oracle.py FOLDER ANCHOR.pem UNIX-TIME [store]
Writes JSON: for each *.pdf in FOLDER its signatures, or why it cannot be read. "store": whether a certificate was revoked
must be known of each, from the document's own security store and from nowhere else.
"""
import datetime
import json
import pathlib
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.misc import PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext

folder, anchor, moment = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
takes_store = sys.argv[4:] == ["store"]


def context(reader):
    settings = {
        "trust_roots": [load_cert_from_pemder(anchor)],
        "allow_fetching": False,
        "moment": datetime.datetime.fromtimestamp(moment, datetime.timezone.utc),
    }
    if takes_store:
        return DocumentSecurityStore.read_dss(reader).as_validation_context({**settings, "revocation_mode": "require"})
    return ValidationContext(**settings)


def judged(signature):
    reader = signature.reader
    is_timestamp = signature.sig_object["/Type"] == "/DocTimeStamp"
    if is_timestamp:
        status = validate_pdf_timestamp(signature, context(reader))
    else:
        status = validate_pdf_signature(signature, context(reader), context(reader))
    return {
        "field": signature.field_name,
        "intact": bool(status.intact and status.valid),
        "trusted": bool(status.trusted),
        "good": bool(status.intact and status.valid and status.trusted if is_timestamp else status.bottom_line),
        "coversAll": status.coverage.name == "ENTIRE_FILE",
        "change": status.modification_level.name if status.modification_level else "OTHER",
        "name": str(signature.sig_object.get("/Name", "")),
        "reason": str(signature.sig_object.get("/Reason", "")),
        "location": str(signature.sig_object.get("/Location", "")),
        "contactInfo": str(signature.sig_object.get("/ContactInfo", "")),
        "time": 0 if is_timestamp else int(signature.self_reported_timestamp.timestamp()),
        "subFilter": str(signature.sig_object["/SubFilter"]),
    }


def opinion(path, strict):
    with open(path, "rb") as file:
        reader = PdfFileReader(file, strict=strict)
        return {"strict": strict, "signatures": [judged(signature) for signature in reader.embedded_signatures]}


opinions = {}
for path in sorted(folder.glob("*.pdf")):
    try:
        try:
            opinions[path.stem] = opinion(path, True)
        except PdfStrictReadError:
            opinions[path.stem] = opinion(path, False)
    except Exception as error:  # its many ways to refuse a file are all one opinion
        opinions[path.stem] = {"error": f"{type(error).__name__}: {error}"}
json.dump(opinions, sys.stdout)
