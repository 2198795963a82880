public import DSSProtocol
public import Octets
import XMLReading

/// The question that an answer must fit; an answer to another question is refused.
public enum DSSQuestion: Sendable {
    case signing(DocumentKind, requestID: String)
    case verification(requestID: String)

    var requestID: String {
        switch self {
        case .signing(_, let requestID), .verification(let requestID): requestID
        }
    }

    var isSigning: Bool {
        if case .signing = self { return true }
        return false
    }
}

/// Reads one answer while it arrives, and tolerates what servers are known or expected to send (docs/dss-protocol.md,
/// Answers). Memory does not grow with a signed document, because the document flows into a collector.
public final class AnswerDecoder {
    private let question: DSSQuestion
    private let answers: any OctetCollectorMaking
    private let content: AnswerContent
    private var head: AnswerHead?
    private var reading = Reading.nothing
    private var body = AnswerBody()
    /// The root part of a multipart answer, from which an inline document is cut.
    private var root = KeptOctets(limit: AnswerBody.keptOctets)
    private var stream: XMLStream<AnswerContent>?
    private var fault: Fault?
    /// Octets that are not a whole piece yet.
    private var waiting: [UInt8] = []
    private var isWanted = true

    /// The body is read in pieces of this many octets, however it arrives: of several faults the one that is found
    /// first must be the same for the same octets.
    private static let piece = 16 << 10

    private enum Reading {
        /// No octet but white space yet.
        case nothing
        case xml
        case multipart(MultipartAnswer)
        /// Something else; only its beginning is kept.
        case page
    }

    private enum Fault {
        case xml(XMLReadingError)
        case multipart(String)
        case storage(OctetCollectionError)
    }

    /// - Parameters:
    ///   - answers: The storage for the octets of a signed document.
    public init(_ question: DSSQuestion, dialect: Dialect, answers: any OctetCollectorMaking) {
        self.question = question
        self.answers = answers
        content = AnswerContent(isSigning: question.isSigning, words: dialect.words, answers: answers)
    }

    /// Takes status and header fields, before the body.
    public func begin(status: Int, fields: [(name: String, value: String)]) {
        head = AnswerHead(status: status, fields: fields)
    }

    /// Takes the next octets of the body.
    /// - Returns: True if more of it is wanted; ``finish()`` gives the outcome in either case.
    public func decode(_ octets: UnsafeRawBufferPointer) -> Bool {
        var rest = octets[...]
        while isWanted, !rest.isEmpty {
            let count = min(rest.count, Self.piece - waiting.count)
            let next = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
            rest = rest.dropFirst(count)
            if count == Self.piece {
                isWanted = read(next)
            } else {
                waiting.append(contentsOf: next)
                if waiting.count == Self.piece { readWaiting() }
            }
        }
        return isWanted
    }

    private func readWaiting() {
        let octets = waiting
        waiting.removeAll()
        if isWanted, !octets.isEmpty { isWanted = octets.withUnsafeBytes { read($0) } }
    }

    /// - Returns: True if more is wanted.
    private func read(_ octets: UnsafeRawBufferPointer) -> Bool {
        var octets = octets
        body.note(octets, keepsAll: !content.hasDocumentBegun)
        if case .nothing = reading {
            guard let first = octets.firstIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return true }
            octets = UnsafeRawBufferPointer(rebasing: octets[first...])
            reading = kindOfBody(first: octets[0])
        }
        guard fault == nil else { return body.count <= AnswerBody.patience }
        switch reading {
        case .nothing, .page: return body.count <= AnswerBody.patience
        case .xml: parse(octets)
        case .multipart(var parts):
            reading = .nothing
            do throws(MultipartAnswer.Fault) {
                try parts.feed(octets) { rootOctets in
                    root.note(rootOctets)
                    parse(rootOctets)
                }
            } catch {
                switch error {
                case .malformed(let reason): fault = fault ?? .multipart(reason)
                case .storage(let error): fault = .storage(error)
                }
            }
            reading = .multipart(parts)
        }
        return fault == nil || body.count <= AnswerBody.patience
    }

    /// Says that the body has ended.
    public func finish() -> DSSOutcome {
        readWaiting()
        guard let head else { return .unreachable(Unreachability(.noAnswer, "there was no answer")) }
        if case .storage(let error)? = fault { return Self.outcome(of: error) }
        if case .nothing = reading { return head.outcomeWithoutBody }
        if head.isAboutTheWay { return .unreachable(head.unreachable(body.pageText)) }
        let outcome = finishReading() ?? outcomeOfContent()
        switch outcome {
        case .refused: return outcome
        case .signed, .verified: return head.isSuccess ? outcome : .unreachable(head.unreachable(""))
        case .unreachable where head.isRefusal: return .refused(head.refusal(body.pageText))
        case .unreachable where !head.isSuccess: return .unreachable(head.unreachable(body.pageText))
        case .unreachable: return outcome
        }
    }

    // MARK: - Reading

    private func kindOfBody(first: UInt8) -> Reading {
        let type = head?.value("Content-Type") ?? ""
        if type.lowercased().hasPrefix("multipart/"),
            let parts = MultipartAnswer(contentType: type, answers: answers)
        {
            return .multipart(parts)
        }
        // "<", or the octets of a byte order mark.
        return [0x3C, 0xEF, 0xFE, 0xFF].contains(first) ? .xml : .page
    }

    private func parse(_ octets: UnsafeRawBufferPointer) {
        guard fault == nil else { return }
        do throws(XMLReadingError) {
            if stream == nil { stream = try XMLStream(content, limits: Self.limits) }
            do throws(XMLStreamError<OctetCollectionError>) { try stream?.feed(octets) } catch { note(error) }
        } catch {
            fault = .xml(error)
        }
    }

    private func note(_ error: XMLStreamError<OctetCollectionError>) {
        switch error {
        case .unreadable(let error): fault = .xml(error)
        case .handler(let error): fault = .storage(error)
        }
    }

    private static let limits = XMLLimits(octets: 1 << 30, depth: 100, elements: 100_000)

    // MARK: - The outcome

    /// The outcome of a body that is wrong as a whole; nil if there is an answer in it.
    private func finishReading() -> DSSOutcome? {
        if case .page = reading {
            return .unreachable(Unreachability(.noAnswer, "the answer is not XML: \(body.pageText)"))
        }
        if case .multipart(let parts) = reading, fault == nil, !parts.isComplete {
            return .unreachable(Unreachability(.noAnswer, "the multipart answer is not complete"))
        }
        if fault == nil, let stream {
            do throws(XMLStreamError<OctetCollectionError>) { try stream.finish() } catch { note(error) }
        }
        if content.rootName?.lowercased() == "html" || fault != nil && body.isHTML {
            return .unreachable(Unreachability(.noAnswer, "a page came instead of an answer: \(body.pageText)"))
        }
        switch fault {
        case .xml(let error) where error.kind == .documentType || error.kind == .limit:
            return .refused(Refusal(.reader, message: "the answer cannot be accepted: \(error)"))
        case .xml(let error):
            return .unreachable(Unreachability(.noAnswer, "the answer is not well-formed: \(error)"))
        case .multipart(let reason):
            return .unreachable(Unreachability(.noAnswer, "the multipart answer cannot be read: \(reason)"))
        case .storage(let error): return Self.outcome(of: error)
        case nil: break
        }
        guard content.kind != nil else {
            let name = PlainText.line(content.rootName ?? "", limit: 60)
            return .unreachable(
                Unreachability(.noAnswer, "the answer holds neither a response nor a fault, but \(name)"))
        }
        return nil
    }

    private func outcomeOfContent() -> DSSOutcome {
        let told = content.messages.joined(separator: "; ")
        if content.kind == .fault { return .refused(refusalOfFault(told)) }
        if let id = content.requestID, id != question.requestID {
            return refuse("the answer belongs to the request \(PlainText.line(id, limit: 80)), not to ours")
        }
        guard content.kind == .either || (content.kind == .sign) == question.isSigning else {
            return refuse("the answer is to another sort of request")
        }
        guard let major = content.major else { return refuse("the answer has no ResultMajor") }
        switch (major, question) {
        case (.success, .signing(let kind, _)): return signingOutcome(kind)
        case (.success, .verification), (.insufficientInformation, .verification): return verificationOutcome()
        case (.pending, _): return refuse("asynchronous answers are not supported", major)
        case (.requesterError, _), (.responderError, _), (.insufficientInformation, _), (.unknown, _):
            let words =
                told.isEmpty ? [major.word, content.minor?.word].compactMap(\.self).joined(separator: ", ") : told
            return refuse(PlainText.line(words), major)
        }
    }

    private func refuse(_ message: String, _ major: ResultMajor? = nil) -> DSSOutcome {
        let source: Refusal.Source = major.map { .result($0, content.minor) } ?? .reader
        return .refused(
            Refusal(source, errorCode: head?.errorCode, message: message, answer: body.shownAnswer))
    }

    private func refusalOfFault(_ told: String) -> Refusal {
        let code = content.faultCode ?? ""
        // The name behind the prefix; SOAP 1.1 allows a finer one behind a full stop (§4.4.1).
        let local = (code.split(separator: ":").last ?? "").prefix { $0 != "." }
        let blaming = ["Client", "Sender", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown"]
        let message = PlainText.line("SOAP fault \(code): \(told)")
        return Refusal(
            blaming.contains(String(local)) ? .clientFault : .serverFault, message: message, answer: body.shownAnswer)
    }

    private func signingOutcome(_ kind: DocumentKind) -> DSSOutcome {
        let found = AnswerContent.Place.allCases.lazy.compactMap { self.content.documents[$0] }.first
        guard let found else { return refuse("the answer says Success and holds no signature") }
        switch found {
        case .octets(let octets): return fit(octets, kind)
        case .damaged(let error): return refuse("the signature in the answer is not clean base64: \(error)")
        case .inlineContent(let ordinal): return fit(inlineXML?.content(ofElement: ordinal), kind)
        case .inlineElement(let ordinal): return fit(inlineXML?.element(ordinal), kind)
        case .part(let id):
            guard case .multipart(let parts) = reading, let octets = parts.collected[id] else {
                return refuse("the answer names a part that it does not have: \(PlainText.line(id, limit: 80))")
            }
            return fit(octets, kind)
        }
    }

    private var inlineXML: InlineXML? {
        if case .multipart = reading { return root.whole.map { InlineXML($0) } }
        return body.whole.map { InlineXML($0) }
    }

    private func fit(_ octets: OctetString?, _ kind: DocumentKind) -> DSSOutcome {
        guard let octets else { return refuse("the document cannot be extracted from the answer") }
        guard let answer = ContentKind.answer(octets, for: kind) else {
            return refuse("what the answer holds is no signed \(kind.rawValue)")
        }
        return .signed(answer)
    }

    private func verificationOutcome() -> DSSOutcome {
        guard let raw = body.whole else {
            return refuse("the answer has more than \(AnswerBody.keptOctets) octets")
        }
        return .verified(
            VerificationAnswer(
                verdict: content.judge.verdict, isRevocationUnreachable: content.judge.isRevocationUnreachable,
                isOnlySignerWrong: content.judge.isOnlySignerWrong, signerIdentities: content.signerIdentities,
                signingTimes: content.signingTimes, messages: content.messages, signatures: content.signatures.all,
                signerCertificates: content.signerCertificates, raw: OctetString(raw)))
    }

    private static func outcome(of error: OctetCollectionError) -> DSSOutcome {
        switch error.kind {
        case .tooMany: .refused(Refusal(.reader, message: "the document in the answer is too large: \(error.detail)"))
        case .storage(let errno):
            .unreachable(Unreachability(.storage, "the answer cannot be kept: \(error.detail)", localFault: errno))
        }
    }
}
