"""Makes the answers that a signing server may give for plain.pdf: good ones and others. Usage: answers.py FOLDER"""

import datetime
import io
import sys

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.validation.dss import DocumentSecurityStore

from edits import edited

folder = sys.argv[1]


def key():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Alice of the documents")])
    now = datetime.datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(42)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name("alice@example.test")]), False)
        .sign(private, hashes.SHA256())
    )
    pfx = serialization.pkcs12.serialize_key_and_certificates(
        b"alice", private, certificate, None, serialization.NoEncryption()
    )
    return signers.SimpleSigner.load_pkcs12_data(pfx, other_certs=[], passphrase=None)


signer = key()


def save(name, octets):
    with open(f"{folder}/{name}.pdf", "wb") as file:
        file.write(octets)


def signed(octets, field, **more):
    writer = IncrementalPdfFileWriter(io.BytesIO(octets), strict=False)
    meta = signers.PdfSignatureMetadata(field_name=field, subfilter=SigSeedSubFilter.PADES, **more)
    return signers.sign_pdf(writer, meta, signer=signer).getvalue()


def plain():
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    page.Contents = pdf.make_stream(b"q Q")
    out = io.BytesIO()
    pdf.save(out, static_id=True)
    return out.getvalue()


def rewritten(octets):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(octets)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def with_store(octets):
    """The signer's certificate in a security store."""
    out = io.BytesIO(octets)
    DocumentSecurityStore.add_dss(out, octets, certs=[signer.signing_cert], force_write=True)
    return out.getvalue()


def with_timestamp(octets):
    writer = IncrementalPdfFileWriter(io.BytesIO(octets), strict=False)
    authority = timestamps.DummyTimeStamper(signer.signing_cert, signer.signing_key)
    return signers.PdfTimeStamper(authority).timestamp_pdf(writer, "sha256").getvalue()


original = plain()
once = signed(original, "First")
save("plain", original)
save("once", once)
save("twice", signed(once, "Second"))
save("certified", signed(original, "First", certify=True, docmdp_permissions=MDPPerm.NO_CHANGES))
save("certified-open", signed(original, "First", certify=True, docmdp_permissions=MDPPerm.FILL_FORMS))
save("rewritten", signed(rewritten(original), "First"))
save("more-behind", edited(once))
save("with-store", with_store(once))
save("lasting", with_timestamp(with_store(once)))
lasting = bytearray(with_timestamp(with_store(once)))
# The timestamp's byte range begins one octet further on.
lasting[lasting.rindex(b"/ByteRange [0") + len("/ByteRange [")] = ord("1")
save("broken-timestamp", bytes(lasting))
save("edited-behind-store", edited(with_store(once)))
save("timestamp-alone", with_timestamp(original))
save("edited-signed", signed(edited(once), "Second"))
flipped = bytearray(once)
flipped[once.rindex(b"/ByteRange") - 40] ^= 1
save("flipped", bytes(flipped))
value = bytearray(once)
start = once.rindex(b"/Contents <") + 400
value[start] = ord("1") if value[start] != ord("1") else ord("2")
save("other-value", bytes(value))
save("unsigned-update", edited(original))
pdf = pikepdf.open(io.BytesIO(original))
out = io.BytesIO()
pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user="", R=6))
save("encrypted", out.getvalue())
