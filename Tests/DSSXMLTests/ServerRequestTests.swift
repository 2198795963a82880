import DSSProtocol
import DSSXML
import Octets
import Testing

@Suite("Requests as a server reads them")
struct ServerRequestTests {
    private func read(_ text: String, pieces: Int = .max) throws -> DSSServerRequest {
        let reader = try DSSServerRequestReader(documents: MemoryCollecting(limit: 1 << 20))
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = OctetString(rest.prefix(pieces))
            try piece.withUnsafeBytes { octets throws(DSSServerRequestError) in try reader.feed(octets) }
            rest = rest.dropFirst(pieces == .max ? rest.count : pieces)
        }
        return try reader.finish()
    }

    @Test(
        "a request with two faults is refused for the same reason however it is cut",
        arguments: [
            "<!DOCTYPE a><a>\0</a>", "<a>\0</a><!DOCTYPE a>", "<!DOCTYPE a\0>", "<a></b>\0", "<a>&b;\0</a>",
            "<a b='&c;'\0/>",
        ])
    func cuts(_ text: String) {
        let reasons = [1, 2, 7, .max].map { size in
            do {
                return "\(try read(text, pieces: size))"
            } catch { return "\(error)" }
        }
        #expect(Set(reasons).count == 1, "\(reasons)")
    }

    private func kind(_ text: String) -> DSSServerRequestError.Kind? {
        do { _ = try read(text) } catch { return (error as? DSSServerRequestError)?.kind }
        return nil
    }

    struct Sent: Sendable, CustomTestStringConvertible {
        let name: String
        let dialect: Dialect
        var testDescription: String { name }

        static let all: [Sent] = {
            var extended = Dialect.adss
            extended.envelope = .soap12
            extended.aliasForm = .extension
            extended.attributesForm = .dssProperties
            return Dialect.Preset.allCases.map { Sent(name: $0.rawValue, dialect: $0.dialect) }
                + [Sent(name: "extended", dialect: extended)]
        }()
    }

    @Test("are read as our own client sends them, however they are cut", arguments: Sent.all, [1, 7, .max])
    func signing(_ sent: Sent, pieces: Int) throws {
        let operation = SigningOperation(
            kind: .pdf, document: OctetString("any <bytes> & more"), profile: "profile & \"one\"", keyAlias: "<alias>",
            attributes: [
                SignatureAttribute(name: "SIGNING_REASON", value: "a < b"),
                SignatureAttribute(name: "VISIBILITY", value: "TRUE"),
            ],
            originatorID: "client & co", requestID: "SES-1")
        let encoded = EncodedRequest(signing: operation, dialect: sent.dialect)
        let request = try read(encoded.body.collected().text, pieces: pieces)
        #expect(request.operation == .sign)
        #expect(request.requestID == "SES-1")
        #expect(request.profile == "profile & \"one\"")
        #expect(request.client == "client & co")
        #expect(request.keyAlias == "<alias>")
        #expect(request.attributes.map(\.name) == ["SIGNING_REASON", "VISIBILITY"])
        #expect(request.attributes.map(\.value) == ["a < b", "TRUE"])
        #expect(request.document?.octets.text == "any <bytes> & more")
        #expect(request.unsupported.isEmpty)
        switch sent.dialect.envelope {
        case .soap11: #expect(request.envelope == .soap11)
        case .soap12: #expect(request.envelope == .soap12)
        case .none: #expect(request.envelope == .none)
        }
    }

    @Test("to verify have document, signature and options", arguments: Sent.all)
    func verifying(_ sent: Sent) throws {
        let operation = VerificationOperation(
            kind: .cms, document: OctetString("content"), signature: OctetString("0signature"),
            originatorID: "client", requestID: "SES-2")
        let request = try read(EncodedRequest(verification: operation, dialect: sent.dialect).body.collected().text)
        #expect(request.operation == .verify)
        #expect(request.document?.octets.text == "content")
        #expect(request.signature?.text == "0signature")
        #expect(request.returnsSigningTime && request.returnsSignerIdentity)
        #expect(request.unsupported.isEmpty)
    }

    @Test("ask for things that this server must refuse because it does not know them")
    func unsupported() throws {
        let request = try read(
            """
            <d:SignRequest xmlns:d="\(DSSNamespace.core)"><d:OptionalInputs><d:AddTimestamp/>
            <x:New xmlns:x="urn:x"><x:Inner/></x:New></d:OptionalInputs><d:InputDocuments>
            <d:Document><d:InlineXML><a/></d:InlineXML></d:Document><d:DocumentHash/></d:InputDocuments></d:SignRequest>
            """)
        #expect(request.unsupported == ["AddTimestamp", "New", "InlineXML", "InputDocuments/DocumentHash"])
    }

    @Test("that are not requests are refused")
    func refused() {
        #expect(kind("<a/>") == .noRequest)
        #expect(kind("<SignRequest") == .unreadable)
        #expect(kind("<!DOCTYPE a [<!ENTITY b \"c\">]><SignRequest>&b;</SignRequest>") == .unreadable)
        let document =
            "<SignRequest><InputDocuments><Document><Base64Data>%s</Base64Data></Document></InputDocuments></SignRequest>"
        #expect(kind(document.replacing("%s", with: "QUJD")) == nil)
        #expect(kind(document.replacing("%s", with: "QUJ!D")) == .notBase64)
        #expect(kind(document.replacing("%s", with: String(repeating: "QUJD", count: 400_000))) == .storage)
    }
}
