import DSSProtocol
public import Octets
import XMLReading

/// Reads a request that arrives in pieces; documents go to collectors, so memory does not grow with them.
///
/// Elements are found by local name under any prefix, as clients write them. The envelope is recognised by its
/// namespace. A reader can be transferred between threads, but must not be used by two at once, which makes it safe to
/// send.
public final class DSSServerRequestReader: @unchecked Sendable {
    private let stream: XMLStream<ServerRequestContent>

    /// - Parameter documents: The storage for the octets of documents and signatures.
    /// - Throws: ``DSSServerRequestError`` if the XML reader cannot be created.
    public init(documents: any OctetCollectorMaking) throws(DSSServerRequestError) {
        do throws(XMLReadingError) {
            stream = try XMLStream(ServerRequestContent(documents))
        } catch {
            throw DSSServerRequestError(.unreadable, error.description)
        }
    }

    /// Reads the next octets of the request.
    /// - Throws: ``DSSServerRequestError`` if the octets are not well-formed XML, exceed a limit, or a document cannot
    ///   be kept.
    public func feed(_ octets: UnsafeRawBufferPointer) throws(DSSServerRequestError) {
        do throws(XMLStreamError<DSSServerRequestError>) { try stream.feed(octets) } catch { throw Self.reason(error) }
    }

    /// Ends the request and returns it.
    /// - Throws: ``DSSServerRequestError`` if the octets are not a complete request.
    public func finish() throws(DSSServerRequestError) -> DSSServerRequest {
        do throws(XMLStreamError<DSSServerRequestError>) { try stream.finish() } catch { throw Self.reason(error) }
        guard stream.handler.hasRequest else {
            throw DSSServerRequestError(.noRequest, "the XML holds neither SignRequest nor VerifyRequest")
        }
        return stream.handler.request
    }

    private static func reason(_ error: XMLStreamError<DSSServerRequestError>) -> DSSServerRequestError {
        switch error {
        case .handler(let reason): reason
        case .unreadable(let reason): DSSServerRequestError(.unreadable, reason.description)
        }
    }
}

/// Takes the events of one request.
private final class ServerRequestContent: XMLStreamHandler {
    private enum Target { case client, keyAlias, signatureType, attributeName, attributeValue }
    private enum Capture {
        case text(Target, [UInt8])
        case document(DSSServerRequest.Document.Kind, Base64Collector)
    }

    private let documents: any OctetCollectorMaking
    private(set) var request = DSSServerRequest()
    private(set) var hasRequest = false
    private var depth = 0
    /// The depth of the request element; what is below it has a path.
    private var base: Int?
    private var path: [String] = []
    private var capture: (Capture, depth: Int)?
    private var attributeName: String?
    private var documentCount = 0

    init(_ documents: any OctetCollectorMaking) { self.documents = documents }

    func startElement(_ tag: XMLStartTag) throws(DSSServerRequestError) {
        depth += 1
        guard base != nil else { return lookForRequest(tag) }
        path.append(tag.localName)
        guard capture == nil else { return }
        switch path.first {
        case "OptionalInputs": startOption(tag)
        case "InputDocuments": try startDocument(tag)
        case "SignatureObject": try startSignature(tag)
        default: if path.count == 1 { refuse(tag.localName) }
        }
    }

    func endElement(localName: String, namespaceURI: String?) throws(DSSServerRequestError) {
        if let (done, start) = capture, start == depth {
            capture = nil
            try finish(done)
        }
        if let base, depth == base { self.base = nil } else if base != nil { path.removeLast() }
        depth -= 1
    }

    func text(_ octets: UnsafeRawBufferPointer) throws(DSSServerRequestError) {
        guard case (let current, let start)? = capture else { return }
        // The capture is taken out while it grows, or it would be copied.
        capture = nil
        switch current {
        case .text(let target, var text):
            let room = 4_096 - text.count
            text.append(contentsOf: octets.prefix(max(room, 0)))
            capture = (.text(target, text), start)
        case .document(let kind, var collector):
            try collector.append(octets)
            capture = (.document(kind, collector), start)
        }
    }

    private func lookForRequest(_ tag: XMLStartTag) {
        guard !hasRequest else { return }
        switch tag.localName {
        case "Envelope" where depth == 1:
            request.envelope = tag.namespaceURI == DSSNamespace.soap12 ? .soap12 : .soap11
            return
        case "SignRequest": request.operation = .sign
        case "VerifyRequest": request.operation = .verify
        default: return
        }
        hasRequest = true
        base = depth
        path = []
        request.requestID = tag.attribute("RequestID")
        request.profile = tag.attribute("Profile")
    }

    private func refuse(_ name: String) {
        if request.unsupported.count < 10 { request.unsupported.append(PlainText.line(name, limit: 100)) }
    }

    private func startOption(_ tag: XMLStartTag) {
        switch path.dropFirst().joined(separator: "/") {
        case "", "ClaimedIdentity", "ClaimedIdentity/SupportingInfo", "KeySelector", "KeySelector/KeyInfo",
            "KeySelector/Other", "Properties", "Properties/SignedProperties",
            "Properties/SignedProperties/Property/Value", "Language", "ReturnProcessingDetails":
            break
        case "ClaimedIdentity/Name": beginCapture(.client)
        case "KeySelector/KeyInfo/KeyName", "KeySelector/Other/CertificateAlias": beginCapture(.keyAlias)
        case "SignatureType": beginCapture(.signatureType)
        case "Properties/SignedProperties/Property", "OverrideableAttributes/Attribute": attributeName = nil
        case "Properties/SignedProperties/Property/Identifier", "OverrideableAttributes/Attribute/Name":
            beginCapture(.attributeName)
        case "Properties/SignedProperties/Property/Value/Value", "OverrideableAttributes/Attribute/Value":
            beginCapture(.attributeValue)
        case "OverrideableAttributes": break
        case "IncludeObject": request.includesObject = true
        case "ReturnSigningTimeInfo": request.returnsSigningTime = true
        case "ReturnSignerIdentity": request.returnsSignerIdentity = true
        case "ReturnVerificationTimeInfo": request.returnsVerificationTime = true
        case "ReturnVerificationReport": request.returnsReport = true
        default: if path.count == 2 { refuse(tag.localName) }
        }
    }

    private func startDocument(_ tag: XMLStartTag) throws(DSSServerRequestError) {
        switch path.count {
        case 1: break
        case 2:
            documentCount += 1
            if tag.localName != "Document" || documentCount > 1 { refuse(path.joined(separator: "/")) }
        case 3:
            guard documentCount == 1, path[1] == "Document" else { return }
            guard let element = DSSServerRequest.DocumentElement(rawValue: tag.localName) else {
                return refuse(tag.localName)
            }
            try beginCapture(.document(element, mimeType: tag.attribute("MimeType")))
        default: break
        }
    }

    private func startSignature(_ tag: XMLStartTag) throws(DSSServerRequestError) {
        guard path.count == 2 else { return }
        guard tag.localName == "Base64Signature" else { return refuse("SignatureObject/" + tag.localName) }
        try beginCapture(.signature)
    }

    private func beginCapture(_ target: Target) { capture = (.text(target, []), depth) }

    private func beginCapture(_ kind: DSSServerRequest.Document.Kind) throws(DSSServerRequestError) {
        capture = (.document(kind, try Base64Collector(documents)), depth)
    }

    private func finish(_ capture: Capture) throws(DSSServerRequestError) {
        switch capture {
        case .text(let target, let text):
            let words = String(decoding: text, as: UTF8.self)
            let word = PlainText.line(words)
            switch target {
            case .client: request.client = word
            case .keyAlias: request.keyAlias = word
            case .signatureType: request.signatureType = word
            case .attributeName:
                attributeName =
                    word.hasPrefix(DSSWord.propertyPrefix) ? String(word.dropFirst(DSSWord.propertyPrefix.count)) : word
            case .attributeValue:
                guard let attributeName, request.attributes.count < 100 else { return }
                request.attributes.append(DSSServerRequest.Attribute(name: attributeName, value: word))
            }
        case .document(let kind, var collector):
            let octets = try collector.finish()
            switch kind {
            case .signature: request.signature = octets
            case .document(let element, let mimeType):
                request.document = DSSServerRequest.Document(element: element, mimeType: mimeType, octets: octets)
            }
        }
    }
}

extension DSSServerRequest.Document {
    fileprivate enum Kind {
        case document(DSSServerRequest.DocumentElement, mimeType: String?)
        case signature
    }
}

/// Decodes base64 into a collector.
private struct Base64Collector {
    private var decoder = Base64Decoder()
    private var collector: any OctetCollector

    init(_ maker: any OctetCollectorMaking) throws(DSSServerRequestError) {
        do throws(OctetCollectionError) { collector = try maker.makeCollector() } catch {
            throw DSSServerRequestError(.storage, error.detail)
        }
    }

    mutating func append(_ text: UnsafeRawBufferPointer) throws(DSSServerRequestError) {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count)
        decoder.decode(text, into: &octets)
        try collect(octets)
    }

    mutating func finish() throws(DSSServerRequestError) -> OctetString {
        var octets: [UInt8] = []
        decoder.finish(into: &octets)
        if let fault = decoder.fault { throw DSSServerRequestError(.notBase64, fault.description) }
        try collect(octets)
        do throws(OctetCollectionError) { return try collector.finish() } catch {
            throw DSSServerRequestError(.storage, error.detail)
        }
    }

    private mutating func collect(_ octets: [UInt8]) throws(DSSServerRequestError) {
        guard !octets.isEmpty else { return }
        do throws(OctetCollectionError) {
            try octets.withOctets { buffer throws(OctetCollectionError) in try collector.append(buffer) }
        } catch {
            throw DSSServerRequestError(.storage, error.detail)
        }
    }
}
