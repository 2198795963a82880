"""What pyHanko thinks of signed PDFs.

usage: oracle.py FOLDER ANCHOR.pem UNIX-TIME    writes JSON: for each *.pdf in FOLDER its signatures, or why it cannot be read
"""
import datetime
import json
import pathlib
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.misc import PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

folder, anchor, moment = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def context():
    return ValidationContext(
        trust_roots=[load_cert_from_pemder(anchor)],
        allow_fetching=False,
        moment=datetime.datetime.fromtimestamp(moment, datetime.timezone.utc),
    )


def judged(signature):
    status = validate_pdf_signature(signature, context())
    return {
        "field": signature.field_name,
        "intact": bool(status.intact and status.valid),
        "trusted": bool(status.trusted),
        "good": bool(status.bottom_line),
        "coversAll": status.coverage.name == "ENTIRE_FILE",
        "change": status.modification_level.name if status.modification_level else "OTHER",
        "name": str(signature.sig_object.get("/Name", "")),
        "reason": str(signature.sig_object.get("/Reason", "")),
        "location": str(signature.sig_object.get("/Location", "")),
        "contactInfo": str(signature.sig_object.get("/ContactInfo", "")),
        "time": int(signature.self_reported_timestamp.timestamp()),
        "subFilter": str(signature.sig_object["/SubFilter"]),
    }


opinions = {}
for path in sorted(folder.glob("*.pdf")):
    try:
        with open(path, "rb") as file:
            try:
                reader, strict = PdfFileReader(file), True
            except PdfStrictReadError:
                reader, strict = PdfFileReader(file, strict=False), False
            signatures = [judged(signature) for signature in reader.embedded_signatures]
            opinions[path.stem] = {"strict": strict, "signatures": signatures}
    except Exception as error:
        opinions[path.stem] = {"error": f"{type(error).__name__}: {error}"}
json.dump(opinions, sys.stdout)
