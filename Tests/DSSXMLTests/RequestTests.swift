import DSSProtocol
import DSSXML
import Octets
import TestSupport
import Testing
import XMLReading

@Suite("Requests to a signing server")
struct RequestTests {
    @Test("are well-formed, and their body has the announced length", arguments: RequestCase.all)
    func wellFormed(_ given: RequestCase) throws {
        let body = given.request.body
        let octets = body.collected()
        #expect(octets.count == body.count)
        let root = try XMLTree.parse(octets)
        let request = given.dialect.envelope == .none ? root : try #require(root.child("Body")?.children.first)
        #expect(request.localName == given.element)
        #expect(request.attribute("RequestID") == "SES-1")
        let name = request.child("OptionalInputs")?.child("ClaimedIdentity")?.child("Name")?.text
        #expect(name == RequestCase.nasty)
        if let document = given.document {
            let form = try #require(request.child("InputDocuments")?.child("Document")?.children.first)
            #expect(try Base64.decode(form.text) == document)
        } else {
            #expect(request.child("InputDocuments") == nil)
        }
    }

    @Test(
        "are valid against the official schemas", .enabled(if: TestMaterial.shared != nil, "needs ../shared"),
        arguments: RequestCase.all)
    func valid(_ given: RequestCase) async throws {
        let shared = try #require(TestMaterial.shared)
        let scratch = try ScratchDirectory()
        let core = "urn:oasis:names:tc:dss:1.0:core:schema"
        let schema = """
            <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
            <xs:import namespace="\(core)" schemaLocation="\(shared)/dss-schemas/oasis-dss-core-schema-v1.0-os.xsd"/>
            <xs:import namespace="urn:ses-gateway:dss:extensions:1.0"
                schemaLocation="\(TestMaterial.fixtures)/dss/extensions.xsd"/>
            </xs:schema>
            """
        var bare = given
        bare.dialect.envelope = .none
        let path = try scratch.write(bare.request.body.collected(), to: "request.xml")
        let run = try await RunningProgram.run(
            "/usr/bin/xmllint",
            ["--noout", "--nonet", "--schema", try scratch.write(schema.utf8, to: "all.xsd"), path], asRoot: true)
        #expect(run.status == 0, "\(run)")
    }

    @Test("carry the header fields of their envelope", arguments: Dialect.Envelope.allCases)
    func fields(_ envelope: Dialect.Envelope) {
        var dialect = Dialect.adss
        dialect.envelope = envelope
        dialect.soapAction = "Sign"
        var given = RequestCase.all[0]
        given.dialect = dialect
        let fields = given.request.fields
        let type = fields.first { $0.name == "Content-Type" }?.value
        let action = fields.first { $0.name == "SOAPAction" }?.value
        switch envelope {
        case .soap11: #expect(type == "text/xml; charset=utf-8" && action == "\"Sign\"")
        case .soap12:
            #expect(type == "application/soap+xml; charset=utf-8; action=\"Sign\"" && action == nil)
        case .none: #expect(type == "application/xml; charset=utf-8" && action == nil)
        }
    }

    @Test("to ADSS use the forms that it is known to understand")
    func adssWords() throws {
        let pdf = try XMLTree.parse(RequestCase(.adss, sign: .pdf).request.body.collected())
        let request = try #require(pdf.child("Body")?.child("SignRequest"))
        let document = try #require(request.child("InputDocuments")?.child("Document")?.children.first)
        #expect(document.localName == "Base64Data" && document.attribute("MimeType") == "PDF")
        #expect(request.child("OptionalInputs")?.child("SignatureType") == nil)
        let xml = try XMLTree.parse(RequestCase(.adss, sign: .xml).request.body.collected())
        let inner = xml.child("Body")?.child("SignRequest")?.child("InputDocuments")?.child("Document")
        #expect(inner?.children.first?.localName == "Base64XML")
    }

    @Test("leave out an alias, a profile and attributes that are not configured")
    func sparing() throws {
        let operation = SigningOperation(
            kind: .email, document: OctetString("x"), profile: "", keyAlias: nil, attributes: [],
            originatorID: "c", requestID: "SES-1")
        let body = EncodedRequest(signing: operation, dialect: .adss).body.collected()
        let request = try #require(try XMLTree.parse(body).child("Body")?.child("SignRequest"))
        #expect(request.attribute("Profile") == nil)
        #expect(request.child("OptionalInputs")?.children.map(\.localName) == ["ClaimedIdentity"])
    }

    @Test("can be read twice with the same octets, because a proxy may ask for them again")
    func twice() {
        let body = RequestCase(.adss, sign: .pdf).request.body
        #expect(body.collected() == body.collected())
    }
}

/// A request and what it is made of.
struct RequestCase: CustomTestStringConvertible, Sendable {
    static let nasty = "client <&\"'> ]]> \u{E9}\u{1F58B}"
    static let octets = Array("%PDF-1.7 & some <octets>".utf8)

    var dialect: Dialect
    let kind: DocumentKind
    let isSigning: Bool
    let hasDocument: Bool
    let hasSignature: Bool
    let name: String

    init(_ dialect: Dialect, sign kind: DocumentKind, _ name: String = "") {
        (self.dialect, self.kind, isSigning, hasDocument, hasSignature) = (dialect, kind, true, true, false)
        self.name = "sign \(kind) \(name)"
    }

    init(_ dialect: Dialect, verify kind: DocumentKind, document: Bool = true, signature: Bool, _ name: String = "") {
        (self.dialect, self.kind, isSigning, hasDocument, hasSignature) = (dialect, kind, false, document, signature)
        self.name = "verify \(kind) \(name)"
    }

    var testDescription: String { "\(name) \(dialect.envelope)" }
    var element: String { isSigning ? "SignRequest" : "VerifyRequest" }
    var document: [UInt8]? {
        guard hasDocument else { return nil }
        let isMessage = isSigning && kind == .email && dialect.mailSigningInput == .wholeMessage
        return isMessage ? Array("MIME-Version: 1.0\r\n".utf8) + Self.octets : Self.octets
    }

    var request: EncodedRequest {
        if isSigning {
            return EncodedRequest(
                signing: SigningOperation(
                    kind: kind, document: OctetString(Self.octets), profile: "adss:signing:profile:001&\"",
                    keyAlias: "al<ias>",
                    attributes: [
                        SignatureAttribute(name: "SIGNING_REASON", value: "a <b> & \"c\""),
                        SignatureAttribute(name: "SIGNING_AREA", value: "5"),
                    ], originatorID: Self.nasty, requestID: "SES-1"), dialect: dialect)
        }
        return EncodedRequest(
            verification: VerificationOperation(
                kind: kind, document: hasDocument ? OctetString(Self.octets) : nil,
                signature: hasSignature ? OctetString([0x30, 0x80]) : nil, originatorID: Self.nasty,
                requestID: "SES-1"), dialect: dialect)
    }

    static let all: [RequestCase] = {
        var cases: [RequestCase] = []
        for dialect in Dialect.Preset.allCases.map(\.dialect) {
            for kind in DocumentKind.allCases {
                cases.append(RequestCase(dialect, sign: kind))
                cases.append(RequestCase(dialect, verify: kind, signature: false))
                cases.append(RequestCase(dialect, verify: kind, signature: true))
                cases.append(RequestCase(dialect, verify: kind, document: false, signature: true, "enclosing"))
            }
        }
        var other = Dialect.adss
        other.envelope = .soap12
        other.aliasForm = .extension
        other.attributesForm = .dssProperties
        other.mailSigningInput = .wholeMessage
        other.sendsSignatureType = true
        other.verificationProfile = "adss:verification:profile:001"
        other.verificationInputs = Dialect.VerificationInput.allCases
        cases.append(RequestCase(other, sign: .email, "other forms"))
        cases.append(RequestCase(other, verify: .email, signature: false, "other forms"))
        other.aliasForm = .omit
        other.attributesForm = .omit
        cases.append(RequestCase(other, sign: .pdf, "omitted forms"))
        return cases
    }()
}
