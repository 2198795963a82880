import DSSProtocol
import Octets
import XMLReading

/// The content of an answer, gathered while its XML arrives (docs/dss-protocol.md, Answers).
///
/// Elements are known by their local names. Prefixes change from answer to answer, and namespaces with the server's
/// age.
final class AnswerContent: XMLStreamHandler {
    /// The places where a signed document may stand. The first one that is filled counts.
    enum Place: Int, CaseIterable {
        case documentWithSignature, base64Signature, xmlSignature, updatedSignature, other
    }

    /// A document that was found.
    enum Document {
        case octets(OctetString)
        case damaged(Base64Error)
        /// The content of the element with this ordinal is the document.
        case inlineContent(Int)
        /// The element with this ordinal is.
        case inlineElement(Int)
        /// It stands in the part with this Content-ID.
        case part(String)
    }

    enum Kind: Hashable { case sign, verify, either, fault }

    private(set) var rootName: String?
    private(set) var kind: Kind?
    private(set) var requestID: String?
    private(set) var major: ResultMajor?
    private(set) var minor: ResultMinor?
    private(set) var resultMessage: String?
    private(set) var faultCode: String?
    private(set) var documents: [Place: Document] = [:]
    /// True if a document has begun to flow into its collector.
    private(set) var hasDocumentBegun = false
    private(set) var judge: SignalJudge
    private(set) var signerIdentities: [String] = []
    private(set) var signingTimes: [String] = []
    private(set) var signerCertificates: [OctetString] = []
    /// Fault reasons, ResultMessage and detail messages, in order.
    private(set) var messages: [String] = []
    /// The statements about single signatures.
    private(set) var signatures = AnswerSignatures()

    private let isSigning: Bool
    private let words: VerdictWords
    private let answers: any OctetCollectorMaking
    private var depth = 0
    private var ordinal = 0
    /// The depth of an element whose content is of no interest.
    private var skipped: Int?
    /// The first response or fault has ended; everything after it is ignored.
    private var isOver = false
    /// The depth of the response or fault.
    private var base = 0
    /// Names from the response's children down.
    private var path: [String] = []
    private var capture: AnswerCapture?
    private var openResult: (major: ResultMajor?, minor: ResultMinor?) = (nil, nil)
    private var otherLeaves = 0

    /// The most texts of one sort that are kept.
    private static let maximumTexts = 64

    init(isSigning: Bool, words: VerdictWords, answers: any OctetCollectorMaking) {
        self.isSigning = isSigning
        self.answers = answers
        self.words = words
        judge = SignalJudge(words: words)
    }

    // MARK: - Events

    func startElement(_ tag: XMLStartTag) throws(OctetCollectionError) {
        depth += 1
        ordinal += 1
        guard skipped == nil, !isOver else { return }
        if depth == 1 { rootName = tag.localName }
        if base == 0 {
            lookForAnswer(tag)
        } else if let capture, capture.isDocument {
            if let reference = Self.attachment(tag) { self.capture?.part = reference }
            skipped = depth
        } else {
            path.append(tag.localName)
            try isFault ? startInFault() : startInResponse(tag)
        }
    }

    func endElement(localName: String, namespaceURI: String?) throws(OctetCollectionError) {
        defer { depth -= 1 }
        if let skipped {
            if skipped == depth { self.skipped = nil }
            if skipped < depth || path.count < depth - base { return }
        }
        guard base > 0, !isOver else { return }
        if let capture, capture.depth == depth {
            self.capture = nil
            try finish(capture)
        }
        if depth == base {
            isOver = true
            return
        }
        if isEnd(of: "Result") { endResult() }
        signatures.end(depth: depth)
        if path.count == depth - base { path.removeLast() }
    }

    func text(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError) {
        guard skipped == nil, capture?.depth == depth else { return }
        try capture?.append(octets)
    }

    // MARK: - Finding the answer

    private var isFault: Bool { kind == .fault }

    private func lookForAnswer(_ tag: XMLStartTag) {
        switch tag.localName {
        case "SignResponse": begin(.sign, tag)
        case "VerifyResponse": begin(.verify, tag)
        case "Response": begin(.either, tag)
        case "Fault": begin(.fault, tag)
        // The server's header, and its signature over the answer, are not part of the answer.
        case "Header" where depth == 2, "Signature": skipped = depth
        default: break
        }
    }

    private func begin(_ kind: Kind, _ tag: XMLStartTag) {
        self.kind = kind
        base = depth
        requestID = tag.attribute("RequestID")
    }

    // MARK: - Reading it

    private func ends(with names: String...) -> Bool {
        path.count >= names.count && path.suffix(names.count).elementsEqual(names)
    }

    private func isEnd(of name: String) -> Bool { path.count == depth - base && path.last == name }

    private func startInFault() {
        switch path {
        case ["faultcode"], ["Code", "Value"]: beginCapture(.faultCode)
        case ["faultstring"], ["Reason", "Text"]: beginCapture(.message)
        default: break
        }
    }

    private func startInResponse(_ tag: XMLStartTag) throws(OctetCollectionError) {
        if path == ["Result", "ResultMessage"] { return beginCapture(.resultMessage) }
        if ends(with: "Result", "ResultMajor") { return beginCapture(.major) }
        if ends(with: "Result", "ResultMinor") { return beginCapture(.minor) }
        if isSigning { try startInSignResponse(tag) } else { startInVerifyResponse(tag) }
    }

    private func startInVerifyResponse(_ tag: XMLStartTag) {
        if signatures.isOpen, startInSignature(tag) { return }
        switch tag.localName {
        case "VerifyInfo":
            let status = tag.attributes.first { $0.name == "AssertionStatus" }?.value
            judge.record(assertionStatus: status)
            signatures.beginInfo(depth: depth, verdict: status.flatMap { words[$0] } ?? .indeterminate)
        case "IndividualReport": signatures.beginReport(depth: depth)
        case "ValidDetail": judge.record(.valid, type: tag.attribute("Type"))
        case "IndeterminateDetail": judge.record(.indeterminate, type: tag.attribute("Type"))
        case "InvalidDetail": judge.record(.invalid, type: tag.attribute("Type"))
        case "Message" where path.dropLast().last?.hasSuffix("Detail") == true: beginCapture(.message)
        case "SignerIdentity": beginCapture(.signer)
        case "SignerCertificate" where tag.namespaceURI == DSSNamespace.extensions: beginCapture(.signerCertificate)
        case "SigningTime" where ends(with: "SigningTimeInfo", "SigningTime"): beginCapture(.signingTime)
        case "Signature" where tag.namespaceURI == DSSNamespace.xmlSignature: skipped = depth
        default: break
        }
    }

    /// - Returns: True if the element is about the open signature alone.
    private func startInSignature(_ tag: XMLStartTag) -> Bool {
        let parent = path.dropLast().last
        switch tag.localName {
        case "FieldName" where parent == "SignatureInfo": beginCapture(.individual(.fieldName))
        case "Signer" where parent == "SignatureInfo": beginCapture(.individual(.signer))
        case "SigningTime" where parent == "SignatureInfo": beginCapture(.individual(.signingTime))
        case "ProvenTime" where parent == "SignatureInfo": beginCapture(.individual(.provenTime))
        case "Detail" where parent == "SignatureInfo":
            // An objection to a signature counts, wherever it stands.
            switch tag.attribute("Level")?.lowercased() {
            case "invalid":
                judge.record(.invalid, type: tag.attribute("Type"))
                signatures.lower(to: .notTrusted)
            case "indeterminate":
                judge.record(.indeterminate, type: tag.attribute("Type"))
                signatures.lower(to: .indeterminate)
            default: break
            }
            beginCapture(.individual(.message))
        case "SignedObjectIdentifier":
            if let name = tag.attribute("FieldName") { signatures.record(.fieldName, PlainText.line(name)) }
        case "ResultMessage" where parent == "Result": beginCapture(.individual(.message))
        default: return false
        }
        return true
    }

    private func startInSignResponse(_ tag: XMLStartTag) throws(OctetCollectionError) {
        if path.count >= 3, path.suffix(3).dropLast().elementsEqual(["DocumentWithSignature", "Document"]) {
            return try startDocument(tag, .documentWithSignature)
        }
        if let object = path.firstIndex(of: "SignatureObject") {
            let isUpdated = path[..<object].contains("UpdatedSignature")
            switch path[(object + 1)...] {
            case ["Base64Signature"]:
                try beginDocument(isUpdated ? .updatedSignature : .base64Signature, isBase64: true)
            case ["Signature"]:
                note(.inlineElement(ordinal), at: isUpdated ? .updatedSignature : .xmlSignature)
                skipped = depth
            case let inner where inner.first == "Other" && inner.count > 1: beginCapture(.otherLeaf)
            default: break
            }
        } else if tag.localName == "Signature" {
            skipped = depth
        }
    }

    private func startDocument(_ tag: XMLStartTag, _ place: Place) throws(OctetCollectionError) {
        switch tag.localName {
        case "Base64Data", "Base64XML": try beginDocument(place, isBase64: true)
        case "EscapedXML": try beginDocument(place, isBase64: false)
        case "InlineXML":
            note(.inlineContent(ordinal), at: place)
            skipped = depth
        case "AttachmentReference":
            if let reference = Self.attachment(tag) { note(.part(reference), at: place) }
        default: break
        }
    }

    /// The Content-ID that an `xop:Include` or an `AttachmentReference` names.
    private static func attachment(_ tag: XMLStartTag) -> String? {
        let name = tag.localName == "Include" ? "href" : "AttRefURI"
        guard let reference = tag.attribute(name), reference.lowercased().hasPrefix("cid:") else { return nil }
        return ContentID.decoded(String(reference.dropFirst(4)))
    }

    // MARK: - Captures

    private func beginCapture(_ target: AnswerCapture.Target) { capture = AnswerCapture(target, depth: depth) }

    private func beginDocument(_ place: Place, isBase64: Bool) throws(OctetCollectionError) {
        guard documents[place] == nil else {
            skipped = depth
            return
        }
        hasDocumentBegun = true
        capture = AnswerCapture(
            .document(place), depth: depth, isBase64: isBase64, collector: try answers.makeCollector())
    }

    private func note(_ document: Document, at place: Place) {
        if documents[place] == nil { documents[place] = document }
    }

    private func finish(_ capture: AnswerCapture) throws(OctetCollectionError) {
        var capture = capture
        switch capture.target {
        case .major: openResult.major = ResultMajor(capture.line)
        case .minor: openResult.minor = capture.line.isEmpty ? nil : ResultMinor(capture.line)
        case .resultMessage:
            if resultMessage == nil, !capture.line.isEmpty { resultMessage = capture.line }
            keep(capture.line, in: &messages)
        case .faultCode: faultCode = capture.line
        case .message: keep(capture.line, in: &messages, of: .message)
        case .signer: keep(capture.line, in: &signerIdentities, of: .signer)
        case .signingTime: keep(capture.line, in: &signingTimes, of: .signingTime)
        case .signerCertificate:
            if let octets = capture.decodedText, signerCertificates.count < Self.maximumTexts {
                signerCertificates.append(octets)
            }
        case .individual(let fact): signatures.record(fact, capture.line)
        case .document(let place):
            if let document = try capture.document() { note(document, at: place) }
        case .otherLeaf:
            guard let octets = capture.decodedText, ContentKind(octets) != nil else { return }
            otherLeaves += 1
            documents[.other] = otherLeaves == 1 ? .octets(octets) : nil
        }
    }

    private func keep(_ text: String, in texts: inout [String]) {
        if !text.isEmpty, texts.count < Self.maximumTexts { texts.append(text) }
    }

    /// Keeps a text about the whole, and, within the statement about one signature, about that one.
    private func keep(_ text: String, in texts: inout [String], of fact: AnswerSignatures.Fact) {
        keep(text, in: &texts)
        signatures.record(fact, text)
    }

    private func endResult() {
        let result = openResult
        openResult = (nil, nil)
        if path == ["Result"], major == nil {
            (major, minor) = result
            // A refusal is no verdict.
            if result.major == .success || result.major == .insufficientInformation, let major = result.major {
                judge.record(major: major, minor: minor)
            }
        } else if path == ["Result"] || ends(with: "IndividualReport", "Result") {
            judge.record(reportMajor: result.major ?? .unknown(""), minor: result.minor)
            var own = SignalJudge(words: words)
            own.record(reportMajor: result.major ?? .unknown(""), minor: result.minor)
            signatures.recordResult(own.verdict)
        }
    }
}
