"""Makes certificates and a configuration of ses-dss for the documents of public collections.

usage: prepare.py COLLECTIONS OUTPUT

COLLECTIONS holds the unpacked source packages of pyHanko and signxml. OUTPUT gets `dss.xml`, with a verification profile
for each row of documents.tsv, and the certificates that the profiles name.

Each profile trusts what the document itself brings along, at a time at which its certificates were valid: the question is
what is said of the document, not of authorities that ended years ago. A document that brings a bare key gets a certificate
for that key, by an authority made here.
"""
import base64
import csv
import datetime
import glob
import os
import sys

from asn1crypto import pem, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader

UTC = datetime.timezone.utc
authority_key = rsa.generate_private_key(65537, 2048)


def certificate(subject, key, is_authority):
    named = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named("Collection CA"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2010, 1, 1))
        .not_valid_after(datetime.datetime(2040, 1, 1))
        .add_extension(x509.BasicConstraints(is_authority, None), True)
        .add_extension(
            x509.KeyUsage(not is_authority, not is_authority, False, False, False, is_authority, is_authority, False, False),
            True,
        )
    )
    made = builder.sign(authority_key, hashes.SHA256())
    return asn1_x509.Certificate.load(made.public_bytes(serialization.Encoding.DER))


authority = certificate("Collection CA", authority_key.public_key(), True)


def octets(element):
    return base64.b64decode("".join(element.text.split()))


def bare_keys(root):
    number = lambda element: int.from_bytes(octets(element), "big")
    curves = {"1.2.840.10045.3.1.7": ec.SECP256R1, "1.3.132.0.34": ec.SECP384R1, "1.3.132.0.35": ec.SECP521R1}
    for key in root.iter("{*}RSAKeyValue"):
        yield rsa.RSAPublicNumbers(number(key.find("{*}Exponent")), number(key.find("{*}Modulus"))).public_key()
    for key in root.iter("{*}ECKeyValue"):
        curve = curves[key.find("{*}NamedCurve").get("URI").split(":")[-1]]()
        yield ec.EllipticCurvePublicKey.from_encoded_point(curve, octets(key.find("{*}PublicKey")))
    for key in root.iter("{*}DEREncodedKeyValue"):
        yield serialization.load_der_public_key(octets(key))


def from_pdf(path):
    """The certificates of all signatures, and the times that these claim."""
    found, times = [], []
    with open(path, "rb") as file:
        reader = PdfFileReader(file, strict=False)
        if reader.encrypted:
            return found, times
        for signature in reader.embedded_signatures:
            found += [signature.signer_cert, *signature.other_embedded_certs]
            if signature.self_reported_timestamp:
                times.append(signature.self_reported_timestamp)
    return found, times


def from_xml(path):
    root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)).getroot()
    found = [asn1_x509.Certificate.load(octets(e)) for e in root.iter("{*}X509Certificate") if (e.text or "").strip()]
    times = []
    for element in root.iter("{*}SigningTime"):
        time = datetime.datetime.fromisoformat(element.text.strip().replace("Z", "+00:00"))
        times.append(time if time.tzinfo else time.replace(tzinfo=UTC))
    if not found:
        keys = list(bare_keys(root))
        found = [certificate(f"Key {number}", key, False) for number, key in enumerate(keys)]
        if not keys:
            # A digest names a certificate that lies beside the document.
            for name in sorted(glob.glob(os.path.dirname(path) + "/*.der")):
                with open(name, "rb") as file:
                    found.append(asn1_x509.Certificate.load(file.read()))
        found.append(authority)
    return found, times


def moment(found, times):
    """A time at which the certificates were valid: the one that the document claims, if it is one."""
    if not found:
        return None
    first = max(c.not_valid_before for c in found)
    last = min(c.not_valid_after for c in found)
    if first > last:
        first, last = found[0].not_valid_before, found[0].not_valid_after
    claimed = max(times, default=None)
    if claimed and first <= claimed <= last:
        return min(claimed + datetime.timedelta(minutes=1), last)
    return first + (last - first) / 2


def profile(number, path, output):
    try:
        found, times = from_pdf(path) if path.endswith(".pdf") else from_xml(path)
    except Exception as error:  # The document is one of those that nobody can read; it is to be judged all the same.
        print(f"{os.path.basename(path)}: no certificates taken from it: {error!r}"[:200], file=sys.stderr)
        found, times = [], []
    found = list({c.dump(): c for c in found}.values())
    subjects = {c.subject.dump() for c in found}
    parts = []
    for element, chosen in (
        ("Anchor", [c for c in found if c.self_signed in ("yes", "maybe") or c.issuer.dump() not in subjects]),
        ("Intermediate", found),
    ):
        if not chosen:
            continue
        name = f"{number}-{element}.pem"
        with open(os.path.join(output, name), "wb") as file:
            for c in chosen:
                file.write(pem.armor("CERTIFICATE", c.dump()))
        parts.append(f"    <{element}>{name}</{element}>")
    time = moment(found, times)
    if time:
        parts.append(f"    <VerificationTime>{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</VerificationTime>")
    first = ' default="true"' if number == 0 else ""
    attributes = f'id="document-{number}"{first} signerIdentity="report" allowWeak="true" revocation="none"'
    return "\n".join([f"  <VerificationProfile {attributes}>", *parts, "  </VerificationProfile>"])


def main():
    collections, output = sys.argv[1:]
    with open(os.path.join(os.path.dirname(__file__), "documents.tsv"), newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    profiles = [profile(number, os.path.join(collections, row["file"]), output) for number, row in enumerate(rows)]
    references = "\n".join(f'    <Profile ref="document-{number}"/>' for number in range(len(rows)))
    with open(os.path.join(output, "dss.xml"), "w") as file:
        file.write(
            '<DSS>\n  <Listen address="127.0.0.1" port="8777"/>\n'
            + "\n".join(profiles)
            + f'\n  <Client id="collection">\n{references}\n  </Client>\n</DSS>\n'
        )


main()
