"""Updates behind signed PDFs: what writers do every day, and attacks that look like it. Used by signed.py, whose names it
gets as `made`."""
import io
import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import AppearanceContent, PdfResources
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.stamp import BaseStampStyle

HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
# The text of BASE begins at 72, 700 and is 24 points high.
ON_TEXT = (60, 690, 300, 730)
FREE = (60, 100, 300, 140)
WHITE = b"1 g 0 0 2000 2000 re f"
TEXT = b"BT /F1 12 Tf 4 10 Td (Signed by Bob) Tj ET"


class Operators(AppearanceContent):
    def __init__(self, octets, resources, box, writer):
        super().__init__(box=box, writer=writer)
        self.import_resources(resources)
        self.octets = octets

    def render(self):
        return self.octets


class Look(BaseStampStyle):
    """An appearance of given operators."""

    def __init__(self, octets, alpha=None, resources=None):
        object.__setattr__(self, "octets", octets)
        object.__setattr__(self, "alpha", alpha)
        object.__setattr__(self, "given", resources)

    def create_stamp(self, writer, box, text_params):
        name, number, dictionary = generic.pdf_name, generic.FloatObject, generic.DictionaryObject
        resources = PdfResources()
        resources.font[name("/F1")] = dictionary({
            name("/Type"): name("/Font"), name("/Subtype"): name("/Type1"), name("/BaseFont"): name("/Helvetica")})
        octets = self.octets
        if self.alpha is not None:
            resources.ext_g_state[name("/A")] = dictionary({name("/ca"): number(self.alpha)})
            octets = b"/A gs " + octets
        if self.given:
            self.given(writer, resources)
        return Operators(octets, resources, box, writer)


def drawn(made, data, field, box, octets, page=0, alpha=None, resources=None, field_exists=False):
    """A further signature whose field shows `octets` in `box`."""
    metadata = signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    spec = None if field_exists else SigFieldSpec(field, box=box, on_page=page)
    signer = signers.PdfSigner(metadata, signer=made.bob, new_field_spec=spec, stamp_style=Look(octets, alpha, resources))
    return signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data)), existing_fields_only=field_exists).getvalue()


def picture(writer, resources):
    image = generic.StreamObject({
        generic.pdf_name("/Subtype"): generic.pdf_name("/Image"), generic.pdf_name("/Width"): generic.NumberObject(1),
        generic.pdf_name("/Height"): generic.NumberObject(1), generic.pdf_name("/BitsPerComponent"): generic.NumberObject(8),
        generic.pdf_name("/ColorSpace"): generic.pdf_name("/DeviceGray")}, stream_data=b"\xff")
    resources.xobject[generic.pdf_name("/I")] = writer.add_object(image)


def nested(writer, resources):
    form = generic.StreamObject({
        generic.pdf_name("/Subtype"): generic.pdf_name("/Form"),
        generic.pdf_name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 600, 600)))}, stream_data=WHITE)
    resources.xobject[generic.pdf_name("/I")] = writer.add_object(form)


def with_form(made, **more):
    """A document with a text field, and what `more` says."""
    return made.document(made.objects(**{
        "o1": b"<</Type/Catalog/Pages 2 0 R/AcroForm 8 0 R>>", "o3": made.PAGE[:-2] + b"/Annots[10 0 R]>>",
        "o8": b"<</Fields[10 0 R]>>",
        "o10": b"<</FT/Tx/T(Text)/V(100)/Type/Annot/Subtype/Widget/Rect[100 300 300 320]/P 3 0 R/F 4>>", **more}))


def tiles(made, data, count, width, height, octets, left=20, bottom=20, columns=3, alpha=None):
    for index in range(count):
        x, y = left + index % columns * (width + 2), bottom + index // columns * (height + 2)
        data = drawn(made, data, "Tile%d" % index, (x, y, x + width, y + height), octets, alpha=alpha)
    return data


def make_good(made):
    good, sign, revise, body = made.good, made.sign, made.revise, made.body
    one = made.files["good-approval"]
    two = made.files["good-two"]
    form_number = int(re.search(rb"/AcroForm (\d+) 0 R", body(one, 1)).group(1))
    form = body(two, form_number)
    page = body(two, 3)
    # Defaults of the form
    good("form-defaults", revise(two, {form_number: form[:-2] + b"/DA(/Helv 0 Tf 0 g)/DR<</Font<</Helv 45 0 R>>>>>>", 45: HELVETICA}))
    good("form-needs-nothing", revise(two, {form_number: form[:-2] + b"/NeedAppearances false/Q 1>>"}))
    filled = sign(with_form(made), "One")
    number = 8
    good("form-defaults-beside-text", revise(filled, {number: body(filled, number)[:-2] + b"/DA(/Helv 0 Tf 0 g)/DR<</Font<</Helv 45 0 R>>>>>>", 45: HELVETICA}))
    twice = revise(two, {form_number: form[:-2] + b"/DA(/Helv 0 Tf 0 g)/DR<</Font<</Helv 45 0 R>>>>>>", 45: HELVETICA})
    good("form-more-fonts", revise(twice, {form_number: body(twice, form_number).replace(b"/Helv 45 0 R", b"/Helv 45 0 R/ZaDb 46 0 R"),
                                           46: HELVETICA.replace(b"Helvetica/Encoding/WinAnsiEncoding", b"ZapfDingbats")}))
    good("form-inline", revise(two, {1: body(two, 1).replace(b"/AcroForm %d 0 R" % form_number, b"/AcroForm " + form)}))
    # Trailer, comments, ends
    good("comment", commented(made, two))
    good("blanks-behind", two + b"\r\n \t\n\x00\r\n")
    good("line-behind-one", one + b"\n")
    identifier = re.compile(rb"/ID ?\[[^\]]*\]")
    update = revise(two, {})
    good("identifier-new", update[:len(two)] + identifier.sub(b"/ID[<%s><%s>]" % (b"44" * 16, b"45" * 16), update[len(two):]))
    good("identifier-gone", update[:len(two)] + identifier.sub(b"", update[len(two):]))
    good("information-gone", revise(two, {}, info=b""))
    good("information-new", revise(two, {45: b"<</Title(Contract)/Producer(other)/ModDate(D:20300101000000Z)>>"}, info=b"/Info 45 0 R"))
    good("information-spelled", revise(two, {6: b"<</Title<FEFF0043006F006E00740072006100630074>/Producer(other)/Author(added)>>"}))
    good("catalog-new", revise(two, {45: body(two, 1)}, root=45))
    moved = revise(two, {1: body(two, 1)[:-2] + b"/Version/1.7>>" if b"/Version" not in body(two, 1) else body(two, 1)})
    good("catalog-changed-and-new", revise(moved, {45: body(moved, 1)}, root=45))
    streams = made.files["good-two-streams"]
    good("streams-blanks-behind", streams + b"\r\n")
    # Objects
    good("unused", revise(two, {45: b"<</Nothing 46 0 R>>", 46: made.stream(b"0 g")}))
    good("numbers-spelled", revise(two, {2: body(two, 2).replace(b"612 792", b"+612. 792.000")}))
    good("numbers-rounded", revise(sign(made.document(made.objects(o2=b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612.123456789012 792]>>"))),
                                   {2: b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612.123456789 792]>>"}))
    good("values-moved", revise(two, {3: page.replace(b"/F1 5 0 R", b"/F1 45 0 R"), 45: made.objects()[5]}))
    good("content-again", revise(two, {4: body(two, 4)}))
    # Looks
    good("stamp-free", drawn(made, one, "Two", FREE, b"0.9 g 0 0 240 40 re f 0 g " + TEXT))
    good("stamp-on-line", drawn(made, sign(made.document(made.objects(o4=made.stream(made.PAID + b" 60 120 m 300 120 l S")))), "Two", FREE, WHITE + b" 0 g " + TEXT))
    good("stamp-on-blanks", drawn(made, sign(made.document(made.objects(o4=made.stream(made.PAID + b" BT /F1 12 Tf 80 115 Td (      ) Tj ET")))), "Two", FREE, WHITE))
    good("stamp-on-paper", drawn(made, sign(made.document(made.objects(o4=made.stream(b"1 g 0 0 612 792 re f 0.9 g 40 80 400 80 re f 0 g " + made.PAID)))), "Two", FREE, WHITE))
    good("stamp-faint", drawn(made, one, "Two", ON_TEXT, b"0.8 g 0 0 240 40 re f", alpha=0.2))
    good("stamps-in-a-row", tiles(made, one, 3, 120, 40, WHITE + b" 0 g " + TEXT))
    good("stamp-large", drawn(made, one, "Two", (20, 20, 590, 400), b"0 0 570 380 re S 0 g " + TEXT))
    good("stamp-beside-text", drawn(made, one, "Two", (60, 640, 300, 690), WHITE))
    packed = made.saved(made.BASE, compress_streams=True, recompress_flate=True)
    good("stamp-packed", drawn(made, sign(packed), "Two", FREE, WHITE))


def commented(made, data):
    update = made.revise(data, {})
    return update[:len(data)] + update[len(data):].replace(b"startxref", b"%any writer 7.1 (core)\r\nstartxref")


def make_bad(made):
    bad, sign, revise, body = made.bad, made.sign, made.revise, made.body
    one = made.files["good-approval"]
    two = made.files["good-two"]
    stream, document, objects = made.stream, made.document, made.objects
    form_number = int(re.search(rb"/AcroForm (\d+) 0 R", body(one, 1)).group(1))
    form = body(two, form_number)
    # Looks that hide what was signed
    bad("stamp-on-text", drawn(made, one, "Two", ON_TEXT, WHITE + b" 0 g BT /F1 24 Tf 12 10 Td (Pay 999 to Mallory) Tj ET"))
    bad("stamp-on-one-digit", drawn(made, one, "Two", (150, 695, 160, 725), WHITE))
    bad("stamp-with-text-alone", drawn(made, one, "Two", ON_TEXT, b"BT /F1 24 Tf 12 10 Td (Pay 999 to Mallory) Tj ET"))
    bad("stamp-picture", drawn(made, one, "Two", ON_TEXT, b"q 240 0 0 40 0 0 cm /I Do Q", resources=picture))
    bad("stamp-nested", drawn(made, one, "Two", ON_TEXT, b"/I Do", resources=nested))
    bad("stamp-inline-picture", drawn(made, one, "Two", ON_TEXT, b"q 240 0 0 40 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xff EI Q"))
    bad("stamp-unreadable", drawn(made, one, "Two", ON_TEXT, b"1 g ( 0 0 240 40 re f"))
    bad("stamps-faint", faint(made, one))
    bad("stamps-in-sum", tiles(made, one, 12, 190, 110, WHITE))
    bad("stamp-of-a-page", drawn(made, one, "Two", (10, 10, 600, 680), WHITE + b" 0 g " + TEXT))
    bad("stamps-strips", tiles(made, one, 6, 40, 40, WHITE, left=60, bottom=690, columns=6))
    bad("stamp-outlines", drawn(made, sign(document(objects(o4=stream(b"72 700 m 80 700 l 76 716 l f 84 700 m 92 700 l 88 716 l f")))), "Two", ON_TEXT, WHITE))
    bad("stamp-strokes", drawn(made, sign(document(objects(o4=stream(b"2 w 72 700 m 80 716 l S 84 700 m 92 716 l S")))), "Two", ON_TEXT, WHITE))
    turned = objects(o4=stream(b"q 0 1 -1 0 200 0 cm BT /F1 24 Tf 300 20 Td (Pay 100) Tj ET Q"))
    bad("stamp-turned-text", drawn(made, sign(document(turned)), "Two", (150, 290, 200, 420), WHITE))
    inner = objects(o3=made.PAGE.replace(b"/Font<<", b"/XObject<</X 9 0 R>>/Font<<"), o4=stream(b"q 1 0 0 1 50 50 cm /X Do Q"),
                    o9=stream(b"BT /F1 24 Tf 22 650 Td (Pay 100) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>>>"))
    bad("stamp-on-form", drawn(made, sign(document(inner)), "Two", ON_TEXT, WHITE))
    bad("stamp-on-stamp", drawn(made, sign(made.BASE, box=FREE), "Two", FREE, WHITE))
    bad("stamp-on-field-text", drawn(made, sign(with_form(made, o10=b"<</FT/Tx/T(Text)/V(100)/Type/Annot/Subtype/Widget/Rect[60 100 300 140]/P 3 0 R/F 4/AP<</N 11 0 R>>>>",
        o11=stream(b"/Tx BMC BT /F1 12 Tf 4 10 Td (Pay 100) Tj ET EMC", b"/Subtype/Form/BBox[0 0 240 40]/Resources<</Font<</F1 5 0 R>>>>"))), "Two", FREE, WHITE))
    prepared = document(objects(
        o1=b"<</Type/Catalog/Pages 2 0 R/AcroForm 8 0 R>>", o3=made.PAGE[:-2] + b"/Annots[7 0 R]>>",
        o7=made.EMPTY_FIELD.replace(b"100 100 300 200", b"60 690 300 730"), o8=b"<</Fields[7 0 R]>>"))
    bad("prepared-over-text", drawn(made, sign(prepared), "Prepared", None, WHITE, field_exists=True))
    type3 = objects(o5=b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[0.001 0 0 0.001 0 0]/FirstChar 32/LastChar 32/Widths[600]"
                       b"/Encoding<</Differences[32/space]>>/CharProcs<</space 9 0 R>>>>",
                    o4=stream(b"BT /F1 24 Tf 72 700 Td (    ) Tj ET"), o9=stream(b"600 0 d0 0 0 500 700 re f"))
    bad("stamp-on-drawn-blanks", drawn(made, sign(document(type3)), "Two", ON_TEXT, WHITE))
    bad("field-without-look", revise(one, {form_number: re.sub(rb"\[([^\]]*)\]", rb"[\1 45 0 R]", body(one, form_number)),
        45: b"<</FT/Sig/T(New)/Type/Annot/Subtype/Widget/Rect[60 690 300 730]/P 3 0 R/MK<</BG[1]>>>>"}))
    # Layers, actions, destinations
    layered = objects(o1=b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[9 0 R]/D<</ON[9 0 R]>>>>>>", o9=b"<</Type/OCG/Name(Amount)>>",
                      o3=made.PAGE.replace(b"/Font<<", b"/Properties<</L 9 0 R>>/Font<<"), o4=stream(b"/OC /L BDC " + made.PAID + b" EMC"))
    layered = sign(document(layered))
    bad("layer-switched", revise(layered, {1: body(layered, 1).replace(b"/ON", b"/OFF")}))
    bad("layer-renamed", revise(layered, {9: b"<</Type/OCG/Name(Other)>>"}))
    bad("layers-added", revise(one, {1: body(one, 1)[:-2] + b"/OCProperties<</OCGs[]/D<</BaseState/OFF>>>>>>"}))
    bad("destinations", revise(one, {1: body(one, 1)[:-2] + b"/Dests<</a[3 0 R/Fit]>>>>"}))
    bad("page-labels", revise(one, {1: body(one, 1)[:-2] + b"/PageLabels<</Nums[0<</P(9)>>]>>>>"}))
    bad("catalog-action", revise(one, {1: body(one, 1)[:-2] + b"/AA<</WC<</S/JavaScript/JS(1)>>>>>>"}))
    bad("transition", revise(one, {3: body(one, 3)[:-2] + b"/Trans<</S/Wipe>>>>"}))
    bad("rights", revise(one, {1: body(one, 1)[:-2] + b"/Perms<</UR3 45 0 R>>>>", 45: b"<</Type/Sig>>"}))
    bad("resources-inherited", revise(sign(document(objects(o2=b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612 792]/Resources<</Font<</F1 5 0 R>>>>>>",
        o3=b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>"))), {2: b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612 792]/Resources<</Font<</F1 45 0 R>>>>>>", 45: objects()[5].replace(b"Helvetica", b"Symbol")}))
    bad("content-freed", revise(one, {}, free=[4]))
    # What looks like the everyday
    bad("catalog-prepared", revise(sign(document(objects(o9=b"<</Type/Catalog/Pages 2 0 R>>"))), {}, root=9))
    bad("catalog-new-pages", revise(one, {45: body(one, 1).replace(b"2 0 R", b"46 0 R"), 46: body(one, 2)[:-2] + b"/Rotate 90>>"}, root=45))
    bad("information-new-title", revise(one, {45: b"<</Title(Another)/Producer(test)>>"}, info=b"/Info 45 0 R"))
    bad("information-title-added", revise(sign(document(objects(o6=b"<</Producer(test)>>"))), {6: b"<</Producer(test)/Title(Another)>>"}))
    bad("number-changed", revise(one, {2: body(one, 2).replace(b"612 792", b"612.01 792")}))
    bad("values-moved-changed", revise(one, {3: body(one, 3).replace(b"/F1 5 0 R", b"/F1 45 0 R"), 45: objects()[5].replace(b"Helvetica", b"Courier")}))
    bad("object-in-stream", revise(two, {45: stream(b"\nendstream\nendobj\n4 0 obj\n" + stream(made.FORGED) + b"\nendobj\n")}))
    bad("object-in-string", revise(two, {45: b"(\n4 0 obj\n<<>>\nendobj\n)"}))
    bad("unused-but-referred", revise(sign(document(objects(o9=b"[40 0 R]"))), {40: stream(made.FORGED)}))
    update = revise(one, {})
    for name, text in [("object", b"% 4 0 obj"), ("end", b"%%EOF"), ("start", b"%startxref"), ("control", b"%\x01"), ("long", b"%" + b"a" * 300)]:
        bad("comment-" + name, update[:len(one)] + update[len(one):].replace(b"startxref", text + b"\nstartxref"))
    bad("text-behind", one + b"\n%a comment\n")
    bad("blanks-behind-for-ever", one + b" " * 1_100)
    filled = sign(with_form(made), "One")
    bad("form-white-text", revise(filled, {8: body(filled, 8)[:-2] + b"/DA(/Helv 0 Tf 1 g)>>"}))
    bad("form-another-font", revise(filled, {8: body(filled, 8)[:-2] + b"/DR<</Font<</Helv 45 0 R>>>>>>",
        45: HELVETICA.replace(b"/WinAnsiEncoding", b"<</Differences[49/nine]>>")}))
    bad("form-embedded-font", revise(filled, {8: body(filled, 8)[:-2] + b"/DR<</Font<</Helv 45 0 R>>>>>>", 45: HELVETICA[:-2] + b"/FontDescriptor 46 0 R>>",
        46: b"<</Type/FontDescriptor/FontName/Helvetica/FontFile2 47 0 R>>", 47: stream(b"")}))
    bad("form-aligned", revise(filled, {8: body(filled, 8)[:-2] + b"/Q 2>>"}))
    fonts = sign(with_form(made, o8=b"<</Fields[10 0 R]/DA(/Helv 0 Tf 0 g)/DR<</Font<</Helv 5 0 R>>>>>>"), "One")
    bad("form-font-replaced", revise(fonts, {8: re.sub(rb"/Helv 5 0 R", b"/Helv 45 0 R", re.sub(rb"/Helv +5 0 R", b"/Helv 5 0 R", body(fonts, 8))), 45: objects()[5].replace(b"Helvetica", b"Symbol")}))
    lacking = sign(with_form(made, o10=b"<</FT/Tx/T(Text)/V(100)/Type/Annot/Subtype/Widget/Rect[60 690 300 730]/P 3 0 R/F 4/AP<</N 11 0 R>>>>",
                             o11=stream(b"/FRM Do", b"/Subtype/Form/BBox[0 0 240 40]")), "One")
    bad("form-missing-drawing", revise(lacking, {8: body(lacking, 8)[:-2] + b"/DR<</XObject<</FRM 45 0 R>>>>>>", 45: stream(WHITE, b"/Subtype/Form/BBox[0 0 240 40]")}))
    bad("annotation-hidden", revise(filled, {10: body(filled, 10).replace(b"/F 4", b"/F 6")}))


def faint(made, data):
    """Four covers on one another, each of which lets most through."""
    for index in range(4):
        data = drawn(made, data, "Faint%d" % index, ON_TEXT, WHITE, alpha=0.3)
    return data


def make(made):
    make_good(made)
    make_bad(made)
