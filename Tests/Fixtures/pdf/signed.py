"""Makes signed PDFs and attacked ones: python3 signed.py FOLDER

FOLDER gets good-*.pdf, bad-*.pdf, and oracle.json with pyHanko's opinion of each. All keys are made here and thrown away;
with two PKCS #12 files (password: secret) and a PEM file of their root named behind FOLDER, these sign.
Needs pyHanko, pikepdf and cryptography. No network: the timestamp authority is a function call.
"""
import datetime
import io
import json
import logging
import re
import sys
import warnings
from pathlib import Path

import pikepdf
from asn1crypto import keys, pem, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko import stamp
from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps, validation
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

import updates

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


# Keys and certificates

def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(name, issuer=None, authority=False, usage=None):
    # pyHanko's timestamp authority for tests signs by RSA only.
    key = rsa.generate_private_key(65537, 2048) if usage else ec.generate_private_key(ec.SECP256R1())
    issuer_name, issuer_key = (issuer[0].subject, issuer[1]) if issuer else (named(name), key)
    builder = (
        x509.CertificateBuilder().subject_name(named(name)).issuer_name(issuer_name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(authority, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.KeyUsage(not authority, not authority, False, False, False, authority, authority, False, False), True))
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), True)
    return builder.sign(issuer_key, hashes.SHA256()), key


def asn1(pair):
    certificate, key = pair
    return (
        asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        keys.PrivateKeyInfo.load(key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())))


authority = issue("Test authority", authority=True)
root, root_key = asn1(authority)
store = SimpleCertificateStore()
store.register(root)
alice = signers.SimpleSigner(*asn1(issue("Alice", authority)), cert_registry=store)
bob = signers.SimpleSigner(*asn1(issue("Bob", authority)), cert_registry=store)
roots = [root]
if len(sys.argv) > 4:
    alice, bob = (signers.SimpleSigner.load_pkcs12(name, passphrase=b"secret") for name in sys.argv[2:4])
    roots.append(asn1_x509.Certificate.load(pem.unarmor(Path(sys.argv[4]).read_bytes())[2]))
stamping = asn1(issue("Timestamps", authority, usage=ExtendedKeyUsageOID.TIME_STAMPING))
tsa = timestamps.DummyTimeStamper(*stamping, certs_to_embed=store)
revoked = asn1_x509, (
    x509.CertificateRevocationListBuilder().issuer_name(authority[0].subject).last_update(NOW - datetime.timedelta(hours=1))
    .next_update(NOW + datetime.timedelta(days=5)).sign(authority[1], hashes.SHA256())
    .public_bytes(serialization.Encoding.DER))


def context():
    from asn1crypto import crl
    return ValidationContext(
        trust_roots=roots, allow_fetching=False, crls=[crl.CertificateList.load(revoked[1])], revocation_mode="soft-fail")


# Documents

def document(objects, info=True):
    """A file with a cross-reference table. `objects`: number -> octets of the object."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in objects.items():
        if number < 0:
            out += body
            continue
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    size = max(places) + 1
    out += b"xref\n0 %d\n" % size
    for number in range(size):
        out += b"%010d %05d %c \n" % (places.get(number, 0), 0 if number in places else 65535, b"n" if number in places else b"f")
    out += b"trailer\n<</Size %d/Root 1 0 R%s/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n" % (
        size, b"/Info 6 0 R" if info else b"", b"41" * 16, b"42" * 16, start)
    return bytes(out)


def stream(data, extra=b""):
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (extra, len(data), data)


PAID = b"BT /F1 24 Tf 72 700 Td (Pay 100 to Alice) Tj ET"
FORGED = b"BT /F1 24 Tf 72 700 Td (Pay 999 to Mallory) Tj ET"


def objects(**changes):
    made = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612 792]>>",
        3: b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        4: stream(PAID),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        6: b"<</Title(Contract)/Producer(test)>>",
    }
    for name, body in changes.items():
        made[int(name[1:])] = body
    return made


BASE = document(objects())
EMPTY_FIELD = b"<</FT/Sig/T(Prepared)/Type/Annot/Subtype/Widget/Rect[100 100 300 200]/P 3 0 R/F 132>>"
PAGE = objects()[3]
GONE = PAGE.replace(b"/Font<<", b"/XObject<</Gone 40 0 R>>/Font<<")
WITH_FIELD = document(objects(
    o1=b"<</Type/Catalog/Pages 2 0 R/AcroForm 8 0 R>>", o3=PAGE[:-2] + b"/Annots 9 0 R>>", o7=EMPTY_FIELD,
    o8=b"<</Fields[7 0 R 10 0 R]/DA(/F1 0 Tf)/DR<</Font<</F1 5 0 R>>>>>>", o9=b"[7 0 R 10 0 R]",
    o10=b"<</FT/Tx/T(Text)/V(before)/Type/Annot/Subtype/Widget/Rect[100 300 300 320]/P 3 0 R/F 4>>"))
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/></x:xmpmeta>"
WITH_METADATA = document(objects(
    o1=b"<</Type/Catalog/Pages 2 0 R/Metadata 7 0 R>>", o7=stream(XMP, b"/Type/Metadata/Subtype/XML")))
TWO_OBJECT_FIELD = document(objects(
    o1=b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[7 0 R]>>>>", o3=PAGE[:-2] + b"/Annots[8 0 R]>>",
    o7=b"<</FT/Sig/T(Prepared)/Kids[8 0 R]>>",
    o8=b"<</Type/Annot/Subtype/Widget/Parent 7 0 R/Rect[100 100 300 200]/P 3 0 R/F 4>>"))


def saved(data, **options):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out, **options)
    return out.getvalue()


STREAMS = saved(BASE, object_stream_mode=pikepdf.ObjectStreamMode.generate)
FIELD_STREAMS = saved(WITH_FIELD, object_stream_mode=pikepdf.ObjectStreamMode.generate)
LINEAR = saved(BASE, linearize=True)
ENCRYPTED = saved(
    BASE, object_stream_mode=pikepdf.ObjectStreamMode.disable,
    encryption=pikepdf.Encryption(owner="owner", user="", R=4))


# Signing

def sign(data, field="One", signer=alice, box=None, password=None, validate=False, **metadata):
    opened = IncrementalPdfFileWriter(io.BytesIO(data))
    if password is not None:
        opened.encrypt(password)
    metadata.setdefault("subfilter", SigSeedSubFilter.PADES)
    made = signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256", **metadata)
    spec = None
    if box:
        spec = SigFieldSpec(field, box=box)
    style = stamp.TextStampStyle(stamp_text="Signed by %(signer)s") if box or metadata.get("name") == "seen" else None
    out = signers.PdfSigner(made, signer=signer, timestamper=tsa if metadata.get("use_pades_lta") or metadata.get("embed_validation_info") else None,
                            new_field_spec=spec, stamp_style=style).sign_pdf(opened, existing_fields_only=False)
    return out.getvalue()


def timestamped(data):
    out = signers.PdfTimeStamper(tsa).timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(data)), "sha256", validation_context=context())
    return out.getvalue()


def updated(data, change):
    """An update by pyHanko's writer, with the same kind of cross-references as before."""
    opened = IncrementalPdfFileWriter(io.BytesIO(data))
    change(opened)
    out = io.BytesIO()
    opened.write(out)
    return out.getvalue()


def revise(data, changes, free=(), trailer=b"", root=1, previous=None, entries=b"", start=None, before=b"", size=None, info=b"/Info 6 0 R"):
    """An update by hand. `changes`: number -> octets of the object."""
    out = bytearray(data) + before
    if out[-1] not in b"\r\n":
        out += b"\n"
    places = {}
    for number, body in changes.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    at = len(out)
    out += b"xref\n" + (entries or (b"" if places or free else b"0 0\n"))
    for number in sorted([*places, *free]):
        if number in places:
            out += b"%d 1\n%010d 00000 n \n" % (number, places[number])
        else:
            out += b"%d 1\n0000000000 00001 f \n" % number
    if previous is None:
        previous = last_start(data)
    ids = re.findall(rb"/ID ?\[ ?(<[^>]*>)", data)[0]
    out += b"trailer\n<</Size %d/Root %d 0 R%s/ID[%s<%s>]%s%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        size or max([60, *places]) + 1, root, info, ids, b"43" * 16,
        b"/Prev %d" % previous if previous else b"", trailer, start or at)
    return bytes(out)


def last_start(data):
    return int(re.findall(rb"startxref\s+(\d+)", data)[-1])


def body(data, number):
    """The last version of an object that stands by itself."""
    begin = [m.end() for m in re.finditer(rb"(?<![0-9])%d 0 obj\s" % number, data)][-1]
    return data[begin:data.index(b"endobj", begin)].strip()


def number_of(data, pattern):
    """The number of the last object whose octets match."""
    found = [int(m.group(1)) for m in re.finditer(rb"(?<![0-9])(\d+) 0 obj\s(?:(?!endobj).)*?" + pattern, data, re.S)]
    return found[-1]


def instead(data, old, new, last=True):
    """Puts `new` where `old` is, of the same length: filled up with blanks."""
    assert len(new) <= len(old), (old, new)
    at = data.rindex(old) if last else data.index(old)
    return data[:at] + new.ljust(len(old)) + data[at + len(old):]


def range_text(data):
    return re.findall(rb"/ByteRange ?\[[^\]]*\] *", data)[-1]


def with_range(data, numbers):
    old = range_text(data)
    return instead(data, old, b"/ByteRange[" + b" ".join(b"%d" % n for n in numbers) + b"]")


def ranges(data):
    return [int(n) for n in re.findall(rb"-?\d+", range_text(data))]


files = {}


def good(name, data):
    files["good-" + name] = data
    return data


def bad(name, data):
    files["bad-" + name] = data


def make_good():
    one = good("approval", sign(BASE, reason="I agree", location="Zürich", contact_info="a@example.test"))
    good("approval-streams", sign(STREAMS))
    good("approval-linearized", sign(LINEAR))
    good("visible", sign(BASE, box=(100, 100, 300, 200)))
    good("pkcs7", sign(BASE, subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED))
    good("existing-field", sign(WITH_FIELD, field="Prepared", name="seen"))
    good("existing-field-streams", sign(FIELD_STREAMS, field="Prepared", name="seen"))
    good("encrypted", sign(ENCRYPTED, password="", reason="hidden"))
    good("two", sign(one, "Two", bob))
    good("two-metadata", sign(sign(WITH_METADATA), "Two", bob))
    good("two-streams", sign(sign(STREAMS), "Two", bob))
    good("two-linearized", sign(sign(LINEAR), "Two", bob, box=(300, 100, 400, 200)))
    visible = good("two-visible", sign(sign(BASE, box=(100, 100, 300, 200)), "Two", bob, box=(310, 100, 500, 200)))
    good("three", sign(visible, "Three", alice, box=(100, 300, 300, 400)))
    good("two-existing-field", sign(sign(WITH_FIELD, "One"), "Prepared", bob, name="seen"))
    good("two-existing-field-streams", sign(sign(FIELD_STREAMS, "One"), "Prepared", bob, name="seen"))
    good("two-existing-widget", sign(sign(TWO_OBJECT_FIELD, "One"), "Prepared", bob, name="seen"))
    good("certified-1", sign(BASE, certify=True, docmdp_permissions=MDPPerm.NO_CHANGES))
    good("certified-1-timestamp", timestamped(files["good-certified-1"]))
    certified = good("certified-2", sign(BASE, certify=True, docmdp_permissions=MDPPerm.FILL_FORMS))
    good("certified-2-approval", sign(certified, "Two", bob))
    good("timestamp", timestamped(BASE))
    good("approval-timestamp", timestamped(one))
    good("long-term", sign(BASE, embed_validation_info=True, validation_context=context()))
    good("archive", sign(BASE, embed_validation_info=True, use_pades_lta=True, validation_context=context()))
    good("archive-two", sign(files["good-archive"], "Two", bob, embed_validation_info=True, use_pades_lta=True,
                             validation_context=context()))
    good("archive-streams", sign(STREAMS, embed_validation_info=True, use_pades_lta=True, validation_context=context()))


def make_bad():
    one = files["good-approval"]
    two = files["good-two"]
    page = body(one, 3)
    catalog = body(one, 1)
    signature = number_of(one, rb"/ByteRange")
    field = number_of(one, rb"/FT ?/Sig")
    first, gap, second, rest = (ranges(one) + [0])[0:4]

    # No signature value (USF)
    bad("no-contents", instead(one, b"/Contents", b"/Kontents"))
    bad("empty-contents", one[:gap] + b"<>".ljust(second - gap) + one[second:])
    bad("zero-contents", one[:gap + 1] + b"0" * (second - gap - 2) + one[second - 1:])
    bad("no-byte-range", instead(one, b"/ByteRange", b"/BiteRange"))
    bad("null-byte-range", instead(one, range_text(one), b"/ByteRange null"))
    bad("null-value", instead(one, b"/V %d 0 R" % signature, b"/V null"))
    # Byte ranges
    bad("range-zeros", with_range(one, [0, 0, 0, 0]))
    bad("range-negative", with_range(one, [0, -gap, second, rest]))
    bad("range-from-one", with_range(one, [1, gap - 1, second, rest]))
    bad("range-short", with_range(one, [0, gap, second, rest - 4]))
    bad("range-long", with_range(one, [0, gap, second, rest + 1]))
    bad("range-overlap", with_range(one, [0, gap, gap - 10, rest + second - gap + 10]))
    bad("range-three", with_range(one, [0, gap, second]))
    bad("range-wide-gap", with_range(one, [0, gap - 1, second, rest]))
    bad("range-late-gap", with_range(one, [0, gap, second + 1, rest - 1]))
    bad("range-huge", with_range(one, [0, gap, second, 9223372036854775807]))
    bad("range-indirect", instead(one, range_text(one), b"/ByteRange 50 0 R"))
    bad("contents-indirect", one[:gap] + b"50 0 R".ljust(second - gap) + one[second:])
    bad("contents-blanks", one[:second - 11] + b"  \n  \n  \n " + one[second - 1:])
    bad("contents-twice", one[:gap] + (b"<" + one[gap + 1:gap + 201] + b">/Contents<3000>").ljust(second - gap) + one[second:])
    bad("padding-used", one[:second - 5] + b"CAFE" + one[second - 1:])
    # Wrapping (SWA): the signed octets moved behind something in the gap
    bad("wrapped", one[:second - 9] + b">/Evil(x)" + one[second:])
    # Incremental saving (ISA)
    bad("content", revise(one, {4: stream(FORGED)}))
    bad("content-no-table", one + b"4 0 obj\n" + stream(FORGED) + b"\nendobj\n")
    bad("content-trailer-only", one + b"4 0 obj\n" + stream(FORGED) + b"\nendobj\ntrailer\n<</Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (last_start(one), len(one)))
    bad("content-start-back", revise(one, {4: stream(FORGED)}, start=last_start(one)))
    bad("content-unchained", revise(one, {n: body(one, n) if n != 4 else stream(FORGED) for n in range(1, signature + 3) if b"\n%d 0 obj" % n in one}, previous=0))
    bad("content-skips-signed", revise(one, {4: stream(FORGED)}, previous=last_start(BASE)))
    bad("trailing-junk", one + b"junk")
    bad("second-end-mark", one + b"startxref\n%d\n%%%%EOF\n" % last_start(one))
    bad("page-contents", revise(one, {3: page.replace(b"/Contents 4 0 R", b"/Contents[4 0 R 45 0 R]"), 45: stream(FORGED)}))
    bad("page-resources", revise(one, {3: page.replace(b"/F1 5 0 R", b"/F1 45 0 R"), 45: objects()[5].replace(b"Helvetica", b"Symbol")}))
    bad("page-rotated", revise(one, {3: page[:-2] + b"/Rotate 90>>"}))
    bad("page-action", revise(one, {3: page[:-2] + b"/AA<</O<</S/JavaScript/JS(app.alert\\(1\\))>>>>>>"}))
    bad("page-type", revise(one, {3: page.replace(b"/Type/Page", b"/Type/Template").replace(b"/Type /Page", b"/Type /Template")}))
    bad("page-added", revise(one, {2: body(one, 2).replace(b"3 0 R]", b"3 0 R 45 0 R]").replace(b"/Count 1", b"/Count 2"), 45: objects()[3]}))
    bad("box", revise(one, {2: body(one, 2).replace(b"612 792", b"612 400")}))
    bad("font", revise(one, {5: objects()[5].replace(b"Helvetica", b"Symbol")}))
    bad("title", revise(one, {6: b"<</Title(Another)/Producer(test)>>"}))
    bad("annotation", revise(one, {3: page[:-2].replace(b"/Annots", b"/Annotz") + b"/Annots[%d 0 R 45 0 R]>>" % field,
                                   45: b"<</Type/Annot/Subtype/FreeText/Rect[72 690 400 730]/Contents(Pay 999)/DA(/F1 24 Tf)/F 4>>"}))
    bad("open-action", revise(one, {1: catalog[:-2] + b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>"}))
    bad("names", revise(one, {1: catalog[:-2] + b"/Names<</JavaScript<</Names[(a)45 0 R]>>>>>>", 45: b"<</S/JavaScript/JS(1)>>"}))
    bad("perms", revise(one, {1: catalog[:-2] + b"/Perms<</DocMDP %d 0 R>>>>" % signature}))
    bad("version", revise(one, {1: catalog.replace(b"/Version /1.7", b"")[:-2] + b"/Version/1.2>>"}))
    bad("catalog-twice", revise(one, {1: catalog[:-2] + b"/Pages 45 0 R>>", 45: body(one, 2)}))
    bad("root", revise(one, {45: catalog.replace(b"2 0 R", b"46 0 R"), 46: body(one, 2)}, root=45))
    bad("encrypted-later", revise(one, {45: b"<</Filter/Standard/V 1/R 2/O<00>/U<00>/P -4>>"}, trailer=b"/Encrypt 45 0 R"))
    bad("trailer-key", revise(one, {}, trailer=b"/Strange 1"))
    # The form
    form_number = re.search(rb"/AcroForm (\d+) 0 R", catalog)
    assert form_number, catalog
    form_number = int(form_number.group(1))
    form = body(one, form_number)
    bad("appearances-needed", revise(one, {form_number: form[:-2] + b"/NeedAppearances true>>"}))
    bad("xfa", revise(one, {form_number: form[:-2] + b"/XFA 45 0 R>>", 45: stream(b"<xdp/>")}))
    bad("no-fields", revise(one, {form_number: re.sub(rb"\[[^\]]*\]", b"[]", form)}))
    two_form = body(two, form_number)
    listed = re.search(rb"\[ ?(\d+ 0 R) (\d+ 0 R) ?\]", two_form)
    bad("fields-reordered", revise(two, {form_number: two_form.replace(listed.group(0), b"[%s %s]" % (listed.group(2), listed.group(1)))}))
    fields_of = lambda extra: re.sub(rb"\[([^\]]*)\]", lambda m: b"[" + m.group(1) + extra + b"]", form)
    bad("text-field", revise(one, {form_number: fields_of(b" 45 0 R"), 45: b"<</FT/Tx/T(New)/V(x)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>"}))
    bad("empty-field", revise(one, {form_number: fields_of(b" 45 0 R"), 45: b"<</FT/Sig/T(New)/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 3 0 R>>"}))
    bad("shared-value", revise(one, {form_number: fields_of(b" 45 0 R"), 45: b"<</FT/Sig/T(New)/V %d 0 R/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 3 0 R>>" % signature}))
    bad("field-renamed", revise(one, {field: body(one, field).replace(b"(One)", b"(Two)")}))
    bad("field-appearance", revise(one, {field: body(one, field)[:-2] + b"/AP<</N 45 0 R>>>>", 45: stream(FORGED, b"/Subtype/Form/BBox[0 0 1 1]")}))
    bad("signature-redefined", revise(one, {signature: body(one, signature).replace(b"(I agree)", b"(I refuse)")}))
    bad("signature-freed", revise(one, {}, free=[signature]))
    bad("value-replaced", revise(one, {field: re.sub(rb"/V %d 0 R" % signature, b"/V 45 0 R", body(one, field)), 45: body(one, signature)}))
    bad("field-hidden", revise(one, {form_number: re.sub(rb"\[[^\]]*\]", b"[]", form), 3: page.replace(b"/Annots", b"/Annotz")}))
    first_try = sign(document(objects(o9=b"99 0 R")))
    chained = number_of(first_try, rb"/ByteRange")
    chain = sign(document(objects(o9=b"%d 0 R" % chained)))
    bad("value-chain", instead(chain, b"/V %d 0 R" % chained, b"/V 9 0 R"))
    filled = sign(WITH_FIELD, "One")
    bad("text-filled", revise(filled, {10: body(filled, 10).replace(b"(before)", b"(after)")}))
    bad("prepared-field-drawn", revise(filled, {7: EMPTY_FIELD[:-2] + b"/AP<</N 45 0 R>>>>", 45: stream(FORGED, b"/Subtype/Form/BBox[0 0 200 100]")}))
    bad("prepared-field-moved", sign(revise(filled, {7: EMPTY_FIELD.replace(b"100 100 300 200", b"50 680 500 740")}), "Prepared", bob, name="seen"))
    bad("unlisted-signature", instead(one, re.search(rb"/Fields ?\[[^\]]*\]", one).group(0), b"/Fields []"))
    bad("stray-dictionary", revise(BASE, {45: b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<30>>>"}))
    # Shadow attacks: prepared before signing
    gone = sign(document(objects(o3=GONE)))
    bad("shadow-dangling", revise(gone, {40: stream(b"0 g", b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]")}))
    bad("shadow-unreadable", sign(sign(document(objects(o9=b"<</A 1> /B 40 0 R>>"))), "Two", bob))
    bad("shadow-dangling-as-certificate", revise(gone, {1: body(gone, 1)[:-2] + b"/DSS<</Certs[40 0 R]>>>>", 40: stream(b"0 g", b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]")}))
    cover = objects(o3=GONE.replace(b"40 0 R", b"9 0 R").replace(b"/Contents 4 0 R", b"/Contents[4 0 R 10 0 R]"),
                    o9=stream(b"1 g 0 0 600 800 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"), o10=stream(b"/Gone Do"))
    covered = sign(document(cover))
    bad("shadow-hide", revise(covered, {}, free=[9]))
    bad("shadow-replace", revise(covered, {9: stream(FORGED, b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]")}))
    spare = objects()
    spare[-1] = b"4 0 obj\n" + stream(FORGED) + b"\nendobj\n"
    spare = dict(sorted(spare.items()))
    prepared = sign(document(spare))
    place = prepared.index(b"4 0 obj")
    bad("shadow-hide-and-replace", revise(prepared, {}, entries=b"4 1\n%010d 00000 n \n" % place))
    length = sign(document(objects(o4=b"<</Length 9 0 R>>\nstream\n" + PAID + b"\nendstream\n%", o9=b"%d" % len(PAID))))
    bad("shadow-length", revise(length, {9: b"3"}))
    shared = objects(o1=b"<</Type/Catalog/Pages 2 0 R/DSS<</Certs 9 0 R>>>>", o3=PAGE.replace(b"/Contents 4 0 R", b"/Contents 9 0 R"), o9=b"[4 0 R]")
    shared = sign(document(shared))
    bad("shadow-certificates", revise(shared, {9: b"[4 0 R 45 0 R]", 45: stream(FORGED)}))
    certificate = sign(document(objects(o1=b"<</Type/Catalog/Pages 2 0 R/DSS<</Certs[4 0 R]>>>>")))
    bad("shadow-certificate", revise(certificate, {4: stream(FORGED)}))
    metadata = sign(document(objects(o1=b"<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>", o4=stream(XMP, b"/Type/Metadata/Subtype/XML"))))
    bad("shadow-metadata", revise(metadata, {4: stream(FORGED, b"/Type/Metadata/Subtype/XML")}))
    # Cross-references
    bad("entry-twice", revise(one, {}, entries=b"45 1\n0000000000 00000 f \n45 1\n0000000000 00000 f \n"))
    bad("hybrid", revise(one, {45: b"<</Type/XRef/Size 5/W[1 4 2]/Index[4 1]/Length 7>>\nstream\n\x01\x00\x00\x00\x09\x00\x00\nendstream"}, trailer=b"/XRefStm %d" % (len(one))))
    bad("comment-between", revise(one, {}, before=b"% 4 0 obj <</Length 0>> endobj\n"))
    streams = files["good-approval-streams"]
    def replace_content(opened):
        opened.root["/Pages"]["/Kids"][0]["/Contents"] = opened.add_object(generic.StreamObject(stream_data=FORGED))
        opened.update_container(opened.root["/Pages"]["/Kids"][0])
    bad("content-streams", updated(streams, replace_content))
    container = number_of(streams, rb"/Type ?/ObjStm")
    bad("object-stream-replaced", updated(streams, lambda w: w.mark_update(generic.Reference(container, 0, w.prev)) or
        w.objects.__setitem__((0, container), generic.StreamObject({generic.pdf_name("/Type"): generic.pdf_name("/ObjStm"), generic.pdf_name("/N"): generic.NumberObject(0), generic.pdf_name("/First"): generic.NumberObject(0)}, stream_data=b""))))
    # Later signatures that are more than that
    bad("signature-covers-page", sign(one, "Two", bob, box=(0, 0, 612, 792)))
    bad("signature-covers-most", sign(one, "Two", bob, box=(0, 100, 612, 790)))
    junk = one + b"4 0 obj\n" + stream(FORGED) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % last_start(one)
    bad("junk-before-second", sign(junk, "Two", bob))
    bad("content-then-signed", sign(revise(one, {4: stream(FORGED)}), "Two", bob))
    bad("annotation-then-signed", sign(files["bad-annotation"], "Two", bob))
    certified = files["good-certified-2-approval"]
    assert certified.count(b"/P 2") == 1
    bad("certified-1-approval", certified.replace(b"/P 2", b"/P 1"))
    locked = sign_locked()
    bad("locked-field-signed", sign(locked, "Prepared", bob))
    bad("certified-content", revise(files["good-certified-1"], {4: stream(FORGED)}))
    bad("perms-removed", revise(files["good-certified-1"], {1: body(files["good-certified-1"], 1).replace(b"/Perms", b"/Permz")}))
    bad("archive-content", revise(files["good-archive"], {4: stream(FORGED)}))
    bad("timestamp-content", revise(files["good-timestamp"], {4: stream(FORGED)}))
    bad("type-of-signature", instead(one, b"/Type /Sig", b"/Type /Foo"))


def sign_locked():
    """A signature that locks the field `Prepared`, which is left empty."""
    opened = IncrementalPdfFileWriter(io.BytesIO(WITH_FIELD))
    spec = SigFieldSpec("One", field_mdp_spec=fields.FieldMDPSpec(fields.FieldMDPAction.INCLUDE, ["Prepared"]))
    fields.append_signature_field(opened, spec)
    made = signers.PdfSignatureMetadata(field_name="One", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
    return signers.PdfSigner(made, signer=alice).sign_pdf(opened).getvalue()


def opinion(data):
    try:
        reader = PdfFileReader(io.BytesIO(data))
        if reader.encrypted:
            reader.decrypt(b"")
        result = []
        for embedded in reader.embedded_signatures:
            if embedded.sig_object.get("/Type") == "/DocTimeStamp":
                status = validation.validate_pdf_timestamp(embedded, context())
            else:
                status = validation.validate_pdf_signature(embedded, context(), context())
            result.append({"field": embedded.field_name, "good": bool(getattr(status, "bottom_line", status.intact and status.valid and status.trusted)), "intact": bool(status.intact),
                           "level": str(getattr(status, "modification_level", None)), "coverage": str(status.coverage)})
        return {"signatures": result}
    except Exception as error:  # its many ways to refuse a file are all one opinion
        return {"error": "%s: %s" % (type(error).__name__, str(error)[:200])}


make_good()
make_bad()
updates.make(sys.modules[__name__])
opinions = {}
for name, data in files.items():
    (folder / (name + ".pdf")).write_bytes(data)
    opinions[name] = opinion(data)
(folder / "oracle.json").write_text(json.dumps(opinions, indent=1))
