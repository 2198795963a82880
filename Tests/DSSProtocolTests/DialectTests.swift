import DSSProtocol
import Testing

@Suite("Dialects")
struct DialectTests {
    @Test("have presets by name")
    func presets() {
        #expect(Dialect.Preset(rawValue: "adss")?.dialect == .adss)
        #expect(Dialect.Preset(rawValue: "dss10")?.dialect == .dss10)
        #expect(Dialect.Preset(rawValue: "ADSS") == nil)
        #expect(Dialect.adss.envelope == .soap11 && Dialect.adss.soapAction == "")
        #expect(Dialect.dss10.envelope == .none && Dialect.dss10.mailVerificationInput == .detachedCms)
    }

    @Test(
        "take every value of every switch, and a switch changes what it names",
        arguments: [
            ("envelope", "soap12"), ("envelope", "none"), ("soapAction", "Sign"), ("soapAction", "absent"),
            ("aliasForm", "extension"), ("aliasForm", "omit"), ("attributesForm", "dssProperties"),
            ("attributesForm", "omit"), ("attributesNamespace", "urn:other"), ("attributesElement", "Attributes"),
            ("attributeElement", "A"), ("attributeNameElement", "N"), ("attributeValueElement", "V"),
            ("smimeSign", "wholeMessage"), ("smimeVerify", "detachedCms"), ("sendSignatureType", "true"),
            ("verificationProfile", "adss:verification:profile:001"), ("optionalInputs", ""),
            ("optionalInputs", "ReturnProcessingDetails, ReturnVerificationReport"),
        ])
    func switches(name: String, value: String) throws {
        var dialect = Dialect.adss
        try dialect.set(switch: name, value: value)
        #expect(dialect != .adss)
        #expect(Dialect.switchNames.contains(name))
    }

    @Test(
        "name the known words when they do not know one",
        arguments: [
            ("envelop", "soap11", "envelope"), ("envelope", "soap13", "soap12"), ("sendSignatureType", "yes", "true"),
            ("optionalInputs", "ReturnSigningTime", "ReturnSigningTimeInfo"),
        ])
    func unknown(name: String, value: String, known: String) {
        var dialect = Dialect.adss
        do throws(DialectError) {
            try dialect.set(switch: name, value: value)
            Issue.record("taken")
        } catch {
            #expect(error.known.contains(known))
            #expect(dialect == .adss)
        }
    }

    @Test(
        "refuse text that would break its surroundings",
        arguments: [
            ("soapAction", "a\"b"), ("soapAction", "a\r\nX: y"), ("attributesElement", "a b"),
            ("attributesElement", ""),
            ("attributesElement", "1a"), ("attributeElement", "x:y"), ("attributesNamespace", "urn: x"),
        ])
    func unsafe(name: String, value: String) {
        var dialect = Dialect.adss
        #expect(throws: DialectError.self) { try dialect.set(switch: name, value: value) }
    }

    @Test("take elements and words for documents, and keep the values that are not given")
    func documents() throws {
        var dialect = Dialect.adss
        try dialect.setDocument(kind: "pdf", operation: "verify", element: nil, mimeType: "application/pdf")
        #expect(dialect.documents[.pdf, .verify] == DocumentForm(.base64Data, mimeType: "application/pdf"))
        #expect(dialect.documents[.pdf, .sign] == DocumentForm(.base64Data, mimeType: "PDF"))
        try dialect.setDocument(kind: "xml", operation: "sign", element: "Base64Data", mimeType: "")
        #expect(dialect.documents[.xml, .sign] == DocumentForm(.base64Data))
        #expect(throws: DialectError.self) {
            try dialect.setDocument(kind: "word", operation: "sign", element: nil, mimeType: nil)
        }
        #expect(throws: DialectError.self) {
            try dialect.setDocument(kind: "pdf", operation: "sign", element: "InlineXML", mimeType: nil)
        }
    }

    @Test("learn new words, and known ones can be changed")
    func words() throws {
        var dialect = Dialect.adss
        #expect(dialect.words["urn:x:TOTAL-PASSED"] == nil)
        try dialect.setWord("Total Passed", verdict: "trusted")
        #expect(dialect.words["urn:x:TOTAL-PASSED"] == .trusted)
        try dialect.setWord("valid", verdict: "indeterminate")
        #expect(dialect.words["Valid"] == .indeterminate)
        #expect(throws: DialectError.self) { try dialect.setWord("x", verdict: "good") }
        #expect(throws: DialectError.self) { try dialect.setWord(" - ", verdict: "trusted") }
    }
}
