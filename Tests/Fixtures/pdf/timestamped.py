"""Puts document timestamps behind a signature. Usage: timestamped.py FOLDER KEY.p12 PASSWORD AUTHORITY STRANGER BRIEF

Reads plain.pdf of FOLDER and writes beside it what `save` names. AUTHORITY, STRANGER and BRIEF are addresses (RFC 3161 §3.4).
"""

import io
import sys
import time

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers, timestamps
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from edits import edited

folder, pfx, password, authority, stranger, brief = sys.argv[1:]
whole = signers.SimpleSigner.load_pkcs12(pfx, passphrase=password.encode())
bare = signers.SimpleSigner(
    signing_cert=whole.signing_cert, signing_key=whole.signing_key, cert_registry=SimpleCertificateStore()
)
with open(f"{folder}/plain.pdf", "rb") as file:
    plain = file.read()


def save(name, octets):
    with open(f"{folder}/{name}.pdf", "wb") as file:
        file.write(octets)


def signed(octets, signer):
    meta = signers.PdfSignatureMetadata(field_name="One", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    return signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(octets)), meta, signer=signer).getvalue()


def timestamped(octets, address):
    stamper = signers.PdfTimeStamper(timestamps.HTTPTimeStamper(address))
    return stamper.timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(octets)), "sha256").getvalue()


def with_store(octets):
    """The certificate of the signer's issuer in a security store."""
    out = io.BytesIO(octets)
    issuers = [certificate for certificate in whole.cert_registry if certificate != whole.signing_cert]
    assert issuers
    DocumentSecurityStore.add_dss(out, octets, certs=issuers, force_write=True)
    return out.getvalue()


once = signed(plain, whole)
save("signed", once)
save("signed-edited", edited(once))
save("stamped", timestamped(once, authority))
save("stamped-by-stranger", timestamped(once, stranger))
briefly = timestamped(once, brief)
save("stamped-briefly", briefly)
# Timestamps have whole seconds, by which these two are told apart.
now = int(time.time())
while int(time.time()) <= now + 1:
    time.sleep(0.05)
save("stamped-again", timestamped(briefly, authority))
# The timestamp's byte range begins one octet further on.
broken = bytearray(timestamped(once, authority))
broken[broken.rindex(b"/ByteRange [0") + len("/ByteRange [")] = ord("1")
save("broken", bytes(broken))
save("alone", timestamped(plain, authority))
save("alone-edited", edited(timestamped(plain, authority)))
save("without-issuer", signed(plain, bare))
save("issuer-in-store", with_store(signed(plain, bare)))
