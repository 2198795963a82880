import XMLReading

/// Looks for a ds:Signature in an XML document that arrives in pieces.
struct XMLSignatureSearch {
    static let namespace = "http://www.w3.org/2000/09/xmldsig#"

    /// The element was found: nothing more needs to be read.
    private struct Found: Error {}

    private struct Handler: XMLStreamHandler {
        mutating func startElement(_ tag: XMLStartTag) throws(Found) {
            if tag.localName == "Signature" && tag.namespaceURI == XMLSignatureSearch.namespace { throw Found() }
        }
        mutating func endElement(localName: String, namespaceURI: String?) throws(Found) {}
        mutating func text(_ octets: UnsafeRawBufferPointer) throws(Found) {}
    }

    private enum State {
        case reading(XMLStream<Handler>)
        case found
        /// The document is not read as XML (not well-formed, or with a document type): its octets tell what it claims.
        case unreadable
    }
    private var state: State
    private var claim = OctetSearch(namespace)

    init() {
        do throws(XMLReadingError) {
            state = .reading(try XMLStream(Handler(), limits: .stream))
        } catch {
            state = .unreadable
        }
    }

    /// True if the document holds a signature. A document that cannot be read as XML holds one if it names the
    /// namespace.
    var isSigned: Bool {
        switch state {
        case .found: true
        case .reading: false
        case .unreadable: claim.isFound
        }
    }

    /// True if a signature was reached by reading XML.
    var isFound: Bool { if case .found = state { true } else { false } }

    /// True if more octets cannot change the answer.
    var isDecided: Bool {
        switch state {
        case .found: true
        case .reading: false
        case .unreadable: claim.isFound
        }
    }

    mutating func feed(_ octets: UnsafeRawBufferPointer) {
        claim.scan(octets)
        guard case .reading(let stream) = state else { return }
        do throws(XMLStreamError<Found>) {
            try stream.feed(octets)
        } catch {
            stop(error)
        }
    }

    /// Says that there is no more.
    mutating func finish() {
        guard case .reading(let stream) = state else { return }
        do throws(XMLStreamError<Found>) {
            try stream.finish()
        } catch {
            stop(error)
        }
    }

    private mutating func stop(_ error: XMLStreamError<Found>) {
        switch error {
        case .handler: state = .found
        case .unreadable: state = .unreadable
        }
    }
}

/// Finds a fixed run of octets in pieces (Knuth, Morris and Pratt).
///
/// Zero octets are passed over: what is text of one octet in UTF-8 has a second one in UTF-16.
struct OctetSearch {
    private let wanted: [UInt8]
    private let failure: [Int]
    private var matched = 0
    private(set) var isFound = false

    init(_ text: String) {
        wanted = Array(text.utf8)
        var failure = [Int](repeating: 0, count: wanted.count)
        var length = 0
        for index in wanted.indices.dropFirst() {
            while length > 0 && wanted[index] != wanted[length] { length = failure[length - 1] }
            if wanted[index] == wanted[length] { length += 1 }
            failure[index] = length
        }
        self.failure = failure
    }

    mutating func scan(_ octets: UnsafeRawBufferPointer) {
        for octet in octets where !isFound && octet != 0 && (matched > 0 || octet == wanted[0]) {
            while matched > 0 && octet != wanted[matched] { matched = failure[matched - 1] }
            if octet == wanted[matched] { matched += 1 }
            if matched == wanted.count { isFound = true }
        }
    }
}
