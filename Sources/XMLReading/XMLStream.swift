/// Takes the events of an ``XMLStream``. An error that it throws ends the reading.
public protocol XMLStreamHandler {
    associatedtype Failure: Error
    /// Takes a start tag; of an empty element too.
    /// - Throws: An error that ends the reading.
    mutating func startElement(_ tag: XMLStartTag) throws(Failure)
    /// Takes an end tag.
    /// - Throws: An error that ends the reading.
    mutating func endElement(localName: String, namespaceURI: String?) throws(Failure)
    /// A piece of character data, UTF-8; one text comes in any number of pieces. The octets are valid only for the
    /// time of the call.
    /// - Throws: An error that ends the reading.
    mutating func text(_ octets: UnsafeRawBufferPointer) throws(Failure)
}

/// The reason why a stream ended early.
public enum XMLStreamError<HandlerFailure: Error>: Error {
    case unreadable(XMLReadingError)
    case handler(HandlerFailure)
}

extension XMLStreamError: Equatable where HandlerFailure: Equatable {}
extension XMLStreamError: Sendable where HandlerFailure: Sendable {}

/// Reads one document that arrives in pieces; memory does not grow with the length of a text.
///
/// It is hardened like ``XMLTree``. A stream can be transferred between threads, but must not be used by two at once.
public final class XMLStream<Handler: XMLStreamHandler> {
    private let relay: EventRelay<Handler>
    private let parser: PushParser

    /// - Throws: ``XMLReadingError/Kind/resources`` only.
    public init(_ handler: Handler, limits: XMLLimits = .stream) throws(XMLReadingError) {
        relay = EventRelay(handler)
        parser = try PushParser(limits: limits, events: relay)
        relay.parser = parser
    }

    /// The handler in its present state.
    public var handler: Handler { relay.handler }

    /// The line that was reached, counted from 1.
    public var line: Int { parser.line }

    /// The number of octets that the parser keeps at present.
    var heldOctets: Int { parser.held }

    /// Takes the next octets, which are read in pieces of a fixed length: an error may be thrown by a later call. After
    /// an error every further call throws the same error.
    /// - Throws: ``XMLStreamError`` if the octets are not well-formed XML, exceed a limit, or the handler throws.
    public func feed(_ octets: UnsafeRawBufferPointer) throws(XMLStreamError<Handler.Failure>) {
        try relay.rethrow()
        do throws(XMLReadingError) { try parser.feed(octets) } catch {
            try relay.rethrow()
            throw .unreadable(error)
        }
        try relay.rethrow()
    }

    /// Ends the document, which must be complete.
    /// - Throws: ``XMLStreamError`` if the document is incomplete, or the handler throws.
    public func finish() throws(XMLStreamError<Handler.Failure>) {
        try relay.rethrow()
        do throws(XMLReadingError) { try parser.finish() } catch {
            try relay.rethrow()
            throw .unreadable(error)
        }
        try relay.rethrow()
    }
}

/// Stands between the parser, whose callbacks cannot throw, and a handler that may.
private final class EventRelay<Handler: XMLStreamHandler>: XMLEvents {
    var handler: Handler
    var failure: Handler.Failure?
    weak var parser: PushParser?

    init(_ handler: Handler) { self.handler = handler }

    func rethrow() throws(XMLStreamError<Handler.Failure>) {
        if let failure { throw .handler(failure) }
    }

    func startElement(_ tag: XMLStartTag) {
        do throws(Handler.Failure) { try handler.startElement(tag) } catch { stop(error) }
    }

    func endElement(localName: String, namespaceURI: String?) {
        do throws(Handler.Failure) {
            try handler.endElement(localName: localName, namespaceURI: namespaceURI)
        } catch { stop(error) }
    }

    func text(_ octets: UnsafeRawBufferPointer) {
        do throws(Handler.Failure) { try handler.text(octets) } catch { stop(error) }
    }

    private func stop(_ error: Handler.Failure) {
        failure = error
        parser?.stop()
    }
}
