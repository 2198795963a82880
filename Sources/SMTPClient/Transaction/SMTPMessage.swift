public import Octets

/// The content of a message, looked through for what its transport must know.
///
/// Every LF without CR goes out as CRLF (a file has its own convention, servers get CRLF, and that is
/// what was signed). Nothing is re-encoded, and no line is folded.
public struct SMTPMessage: Sendable {
    /// The handling of a CR without LF, which must not be sent (RFC 5321 §2.3.8).
    public enum StrayReturns: Sendable, Hashable {
        /// The message is refused. For anything signed: changing it would break the signature.
        case refused
        /// It becomes a line end.
        case madeLineEnds
    }

    /// Header, blank line and body, as stored.
    public let content: any OctetSource
    /// Octets as sent, without the dots that transparency adds and without the final one (RFC 1870 §3).
    public let size: Int
    /// True if any octet is above 127.
    public let hasEightBit: Bool
    /// True if the header has one, so that it is a header of RFC 6532.
    public let hasEightBitHeader: Bool

    /// Reads `content` once.
    /// - Throws: A permanent ``SMTPFailure`` of the message for a CR that must not be changed.
    public init(_ content: some OctetSource, strayReturns: StrayReturns = .refused) throws(SMTPFailure) {
        var survey = ContentSurvey()
        content.forEachChunk { survey.scan($0) }
        survey.finish()
        if strayReturns == .refused, let offset = survey.firstStrayReturn {
            throw SMTPFailure(
                .permanent, .message, .preparation, status: (6, 0),
                "octet \(offset) of the message is a CR without LF, which SMTP cannot carry, and the message must not be changed"
            )
        }
        self.content = content
        size = survey.size
        hasEightBit = survey.hasEightBit
        hasEightBitHeader = survey.hasEightBitHeader
    }
}

/// Counts what a message will be on the wire, in one pass.
struct ContentSurvey {
    private(set) var firstStrayReturn: Int?
    private(set) var hasEightBit = false
    private(set) var hasEightBitHeader = false
    /// True from the first empty line on.
    private var isInBody = false
    /// True if nothing but a CR stands before the present octet on its line.
    private var isLineEmpty = true
    private var offset = 0
    private var added = 0
    private var last: UInt8?

    var size: Int {
        switch last {
        case nil, 0x0A: offset + added
        // A CR at the very end becomes a CRLF.
        case 0x0D: offset + added + 1
        default: offset + added + 2
        }
    }

    mutating func scan(_ chunk: UnsafeRawBufferPointer) {
        guard !chunk.isEmpty else { return }
        if !isInBody { scanHeader(chunk) }
        if !hasEightBit { hasEightBit = chunk.hasOctetAbove127 }
        if last == 0x0D, chunk[0] != 0x0A { noteStray(at: offset - 1) }
        var search = 0
        while let found = chunk.firstLineEndOctet(from: search) {
            search = found + 1
            if chunk[found] == 0x0A {
                if (found > 0 ? chunk[found - 1] : last) != 0x0D { added += 1 }
            } else if search < chunk.count, chunk[search] != 0x0A {
                noteStray(at: offset + found)
            }
        }
        last = chunk[chunk.count - 1]
        offset += chunk.count
    }

    private mutating func scanHeader(_ chunk: UnsafeRawBufferPointer) {
        for octet in chunk {
            if octet == 0x0A {
                isInBody = isLineEmpty
                if isInBody { return }
                isLineEmpty = true
            } else if octet != 0x0D {
                isLineEmpty = false
                if octet > 127 { hasEightBitHeader = true }
            }
        }
    }

    /// Ends the message: a CR at its very end has no LF either.
    mutating func finish() {
        if last == 0x0D { firstStrayReturn = firstStrayReturn ?? offset - 1 }
    }

    private mutating func noteStray(at offset: Int) {
        firstStrayReturn = firstStrayReturn ?? offset
        added += 1
    }
}

extension UnsafeRawBufferPointer {
    /// Eight octets at a time.
    fileprivate var hasOctetAbove127: Bool {
        guard let baseAddress else { return false }
        var index = 0
        while index &+ 8 <= count {
            let word = baseAddress.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return true }
            index &+= 8
        }
        return self[index...].contains { $0 > 127 }
    }
}
