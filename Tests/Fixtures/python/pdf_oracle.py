"""What pyHanko says of the signatures of a PDF.

usage: pdf_oracle.py ANCHOR.pem FILE.pdf
Prints JSON: one object for each signature in the document's order, or {"error": …} when the file cannot be read.
"""

import json
import logging
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

logging.disable(logging.CRITICAL)


def text(value):
    return None if value is None else str(value)


def describe(signature, context):
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    try:
        status = validate_pdf_signature(signature, context, key_usage_settings=usage)
    except Exception as error:  # every way to say no counts the same
        return {"field": signature.field_name, "valid": False, "trouble": f"{type(error).__name__}: {error}"}
    dictionary = signature.sig_object
    timestamp = status.timestamp_validity
    return {
        "field": signature.field_name,
        "valid": bool(status.bottom_line),
        "trouble": None if status.bottom_line else status.summary(),
        "coverage": status.coverage.name,
        "reason": text(dictionary.get("/Reason")),
        "location": text(dictionary.get("/Location")),
        "contact": text(dictionary.get("/ContactInfo")),
        "timestamped": bool(timestamp and timestamp.intact),
    }


def main():
    anchor, path = sys.argv[1:3]
    context = ValidationContext(trust_roots=[load_cert_from_pemder(anchor)], allow_fetching=False)
    with open(path, "rb") as file:
        try:
            reader = PdfFileReader(file)
            found = [describe(signature, context) for signature in reader.embedded_signatures]
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
            return
    print(json.dumps({"signatures": found}))


main()
