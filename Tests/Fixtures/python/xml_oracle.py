"""What signxml says of signed documents.

usage: xml_oracle.py CERTIFICATE.pem FOLDER
Prints one line for each file of the folder, sorted by name: NAME<TAB>valid, or NAME<TAB>invalid<TAB>REASON.
A file named *.xades.xml is verified as XAdES.
"""

import os
import sys

from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier
from signxml.xades import XAdESVerifier


def verify(path, certificate):
    with open(path, "rb") as file:
        octets = file.read()
    is_xades = path.endswith(".xades.xml")
    configuration = SignatureConfiguration(location=".//", expect_references=2 if is_xades else 1)
    verifier = XAdESVerifier() if is_xades else XMLVerifier()
    results = verifier.verify(octets, x509_cert=certificate, expect_config=configuration)
    if not isinstance(results, list):
        results = [results]
    root = etree.fromstring(octets)
    covered = results[0].signed_xml
    if covered is None or covered.tag != root.tag:
        raise ValueError("the root is not what was signed")


def main():
    certificate_path, folder = sys.argv[1:3]
    with open(certificate_path) as file:
        certificate = file.read()
    for name in sorted(os.listdir(folder)):
        try:
            verify(os.path.join(folder, name), certificate)
        except Exception as error:  # every way to say no counts the same
            print(name, "invalid", " ".join(f"{type(error).__name__}: {error}".split())[:300], sep="\t")
        else:
            print(name, "valid", sep="\t")


main()
