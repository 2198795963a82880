import DSSProtocol
public import Octets
import XMLReading

/// Writes one answer. Everything that comes from outside is escaped here.
struct ServerAnswerText {
    private var rope = OctetRope()
    private var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private let envelope: DSSServerRequest.Envelope
    private let core: String
    private let soap: String

    init(_ answer: DSSServerAnswer) {
        envelope = answer.envelope
        core = Self.prefix(answer.prefixes.core)
        soap = Self.prefix(answer.prefixes.soap)
    }

    private static func prefix(_ name: String) -> String { name.isEmpty ? "" : name + ":" }

    private static func declaration(_ prefix: String, _ namespace: String) -> (String, String) {
        (prefix.isEmpty ? "xmlns" : "xmlns:" + prefix.dropLast(), namespace)
    }

    mutating func finished() -> OctetRope {
        flush()
        return rope
    }

    mutating func write(_ answer: DSSServerAnswer) {
        openEnvelope()
        let element = core + (answer.operation == .sign ? "SignResponse" : "VerifyResponse")
        var attributes = [Self.declaration(core, DSSNamespace.core)]
        if let requestID = answer.requestID { attributes.append(("RequestID", requestID)) }
        // Required by the schema, whether a profile was named or not.
        attributes.append(("Profile", answer.profile ?? ""))
        open(element, attributes)
        if answer.hasStraySignature { writeStraySignature() }
        open(core + "Result")
        writeResult(answer)
        close(core + "Result")
        writeOptionalOutputs(answer)
        if case .cms(let cms) = answer.output {
            open(core + "SignatureObject")
            open(core + "Base64Signature", [("Type", DSSWord.cms)])
            append(Base64Encoded(cms, lineLength: nil))
            close(core + "Base64Signature")
            close(core + "SignatureObject")
        }
        close(element)
        closeEnvelope()
    }

    private mutating func writeResult(_ answer: DSSServerAnswer) {
        let prefix =
            answer.major == .pending
            ? "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:" : DSSWord.majorPrefix
        leaf(core + "ResultMajor", prefix + answer.major.rawValue)
        if let minor = answer.minor { leaf(core + "ResultMinor", minor.uri) }
        if let message = answer.message {
            leaf(core + "ResultMessage", PlainText.line(message, limit: 500), [("xml:lang", "en")])
        }
    }

    private mutating func writeOptionalOutputs(_ answer: DSSServerAnswer) {
        var document: (DSSServerRequest.DocumentElement, String?, any OctetSource)?
        if case .document(let element, let mimeType, let octets) = answer.output {
            document = (element, mimeType, octets)
        }
        guard
            document != nil || answer.signingTime != nil || answer.verificationTime != nil || !answer.signers.isEmpty
                || !answer.signerCertificates.isEmpty
                || !answer.details.isEmpty || !answer.signatures.isEmpty || answer.hasReport
        else { return }
        open(core + "OptionalOutputs")
        if let (element, mimeType, octets) = document {
            open(core + "DocumentWithSignature")
            open(core + "Document")
            open(core + element.rawValue, mimeType.map { [("MimeType", $0)] } ?? [])
            append(Base64Encoded(octets, lineLength: nil))
            close(core + element.rawValue)
            close(core + "Document")
            close(core + "DocumentWithSignature")
        }
        if let time = answer.signingTime {
            open(core + "SigningTimeInfo")
            leaf(core + "SigningTime", time)
            close(core + "SigningTimeInfo")
        }
        if let time = answer.verificationTime { writeVerificationTime(time) }
        for signer in answer.signers {
            leaf(
                core + "SignerIdentity", PlainText.line(signer),
                [("Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName")])
        }
        for certificate in answer.signerCertificates {
            open("ses:SignerCertificate", [("xmlns:ses", DSSNamespace.extensions)])
            append(Base64Encoded(certificate, lineLength: nil))
            close("ses:SignerCertificate")
        }
        writeDetails(answer.details)
        writeSignatures(answer.signatures)
        if answer.hasReport { writeReport(answer) }
        close(core + "OptionalOutputs")
    }

    private mutating func writeVerificationTime(_ time: String) {
        open(core + "VerificationTimeInfo")
        leaf(core + "VerificationTime", time)
        close(core + "VerificationTimeInfo")
    }

    private mutating func writeDetails(_ details: [DSSServerAnswer.Detail]) {
        guard !details.isEmpty else { return }
        open(core + "ProcessingDetails")
        // The schema wants the indeterminate ones first.
        for isInvalid in [false, true] {
            for detail in details where detail.isInvalid == isInvalid {
                let element = core + (isInvalid ? "InvalidDetail" : "IndeterminateDetail")
                open(element, [("Type", detail.type)])
                leaf(core + "Message", PlainText.line(detail.message, limit: 500), [("xml:lang", "en")])
                close(element)
            }
        }
        close(core + "ProcessingDetails")
    }

    /// A word for each signature as ADSS gives it, and in our own namespace what the word is about.
    private mutating func writeSignatures(_ signatures: [DSSServerAnswer.Signature]) {
        guard !signatures.isEmpty else { return }
        open("va:ContentVerifyInfo", [("xmlns:va", DSSNamespace.verificationInfo)])
        for signature in signatures {
            open("va:VerifyInfo", [("AssertionStatus", Self.status(signature.verdict))])
            open("ses:SignatureInfo", [("xmlns:ses", DSSNamespace.extensions)])
            if let name = signature.fieldName { leaf("ses:FieldName", PlainText.line(name)) }
            if let signer = signature.signer { leaf("ses:Signer", PlainText.line(signer)) }
            if let time = signature.signingTime { leaf("ses:SigningTime", time) }
            if let time = signature.provenTime { leaf("ses:ProvenTime", time) }
            for detail in signature.details {
                leaf(
                    "ses:Detail", PlainText.line(detail.message, limit: 500),
                    [("Type", detail.type), ("Level", detail.isInvalid ? "invalid" : "indeterminate")])
            }
            close("ses:SignatureInfo")
            close("va:VerifyInfo")
        }
        close("va:ContentVerifyInfo")
    }

    private static func status(_ verdict: Verdict) -> String {
        switch verdict {
        case .trusted: "Valid"
        case .notTrusted: "Invalid"
        case .indeterminate: "Indeterminate"
        }
    }

    private mutating func writeReport(_ answer: DSSServerAnswer) {
        open("vr:VerificationReport", [("xmlns:vr", DSSNamespace.verificationReport)])
        if let time = answer.verificationTime { writeVerificationTime(time) }
        open("vr:IndividualReport")
        text += "<vr:SignedObjectIdentifier/>"
        open(core + "Result")
        writeResult(answer)
        close(core + "Result")
        close("vr:IndividualReport")
        close("vr:VerificationReport")
    }

    private mutating func writeStraySignature() {
        text += "<ds:Signature xmlns:ds=\"\(DSSNamespace.xmlSignature)\"><ds:SignedInfo>"
        text += "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
        text += "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>"
        text += "<ds:Reference URI=\"\"><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>"
        text += "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        text += "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"
    }

    // MARK: Envelope and elements

    mutating func openEnvelope() {
        let namespace: String
        switch envelope {
        case .soap11: namespace = DSSNamespace.soap11
        case .soap12: namespace = DSSNamespace.soap12
        case .none: return
        }
        open(soap + "Envelope", [Self.declaration(soap, namespace)])
        open(soap + "Body")
    }

    mutating func closeEnvelope() {
        guard envelope != .none else { return }
        close(soap + "Body")
        close(soap + "Envelope")
    }

    private mutating func open(_ name: String, _ attributes: [(String, String)] = []) {
        text += "<" + name
        for (name, value) in attributes { text += " \(name)=\"\(XMLEscaping.attribute(value))\"" }
        text += ">"
    }

    private mutating func close(_ name: String) { text += "</\(name)>" }

    private mutating func leaf(_ name: String, _ content: String, _ attributes: [(String, String)] = []) {
        open(name, attributes)
        text += XMLEscaping.text(content)
        close(name)
    }

    private mutating func append(_ source: some OctetSource) {
        flush()
        rope.append(source)
    }

    private mutating func flush() {
        rope.append(text)
        text = ""
    }
}

/// A SOAP fault: what is said when a request did not reach the DSS layer.
public struct DSSServerFault: Sendable {
    /// The party at fault.
    public enum Party: Sendable, Hashable { case client, server }

    public let party: Party
    public let message: String
    private let envelope: DSSServerRequest.Envelope

    /// - Parameter envelope: That of the request; if it had none, SOAP 1.1 is used.
    public init(_ party: Party, _ message: String, envelope: DSSServerRequest.Envelope = .soap11) {
        self.party = party
        self.message = message
        self.envelope = envelope == .soap12 ? .soap12 : .soap11
    }

    public var contentType: String { DSSServerAnswer.contentType(envelope) }

    public var octets: OctetString {
        let reason = XMLEscaping.text(PlainText.line(message, limit: 500))
        let isServer = party == .server
        let body =
            envelope == .soap12
            ? "<soap:Fault><soap:Code><soap:Value>soap:\(isServer ? "Receiver" : "Sender")</soap:Value></soap:Code>"
                + "<soap:Reason><soap:Text xml:lang=\"en\">\(reason)</soap:Text></soap:Reason></soap:Fault>"
            : "<soap:Fault><faultcode>soap:\(isServer ? "Server" : "Client")</faultcode>"
                + "<faultstring>\(reason)</faultstring></soap:Fault>"
        let namespace = envelope == .soap12 ? DSSNamespace.soap12 : DSSNamespace.soap11
        return OctetString(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"\(namespace)\"><soap:Body>"
                + body + "</soap:Body></soap:Envelope>\n")
    }
}
