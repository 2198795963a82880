import Octets

/// Reads the tokens of a structured field body (RFC 5322 §3.2) from left to right, each octet once.
///
/// Stands on memory that it does not own: it must not leave the closure that lends it.
package struct FieldCursor {
    @usableFromInline let octets: UnsafePointer<UInt8>
    package let end: Int
    @usableFromInline package private(set) var index = 0
    /// Something was read that the grammar does not allow: an open comment or string, a control character.
    package private(set) var isMalformed = false
    /// The content of the last comment, without its parentheses.
    package private(set) var lastComment: Range<Int>?

    /// Calls `body` with a cursor over `octets`, which are unfolded.
    package static func reading<Result>(_ octets: [UInt8], _ body: (inout FieldCursor) -> Result) -> Result {
        // An empty array has no memory to point to.
        (octets.isEmpty ? [0] : octets).withUnsafeBufferPointer { buffer in
            var cursor = FieldCursor(octets: buffer.baseAddress.unsafelyUnwrapped, end: octets.count)
            return body(&cursor)
        }
    }

    private init(octets: UnsafePointer<UInt8>, end: Int) {
        self.octets = octets
        self.end = end
    }

    package var isAtEnd: Bool { index >= end }
    /// The octet at the cursor; NUL at the end.
    package var current: UInt8 { index < end ? octets[index] : 0 }

    package mutating func advance() { if index < end { index &+= 1 } }

    package mutating func noteMalformed() { isMalformed = true }

    /// Steps over `octet` if it is the next.
    package mutating func skip(_ octet: UInt8) -> Bool {
        guard index < end, octets[index] == octet else { return false }
        index &+= 1
        return true
    }

    /// White space and line ends that are left.
    package mutating func skipBlanks() {
        while index < end, octets[index] == 0x20 || octets[index] == 0x09 { index &+= 1 }
    }

    /// CFWS: white space and comments.
    /// - Returns: True if there was any.
    @discardableResult
    package mutating func skipCFWS() -> Bool {
        let start = index
        while index < end {
            let octet = octets[index]
            if octet == 0x20 || octet == 0x09 {
                index &+= 1
            } else if octet == 0x28 {
                skipComment()
            } else {
                break
            }
        }
        return index > start
    }

    /// A comment with those nested in it, counted instead of called, so that depth costs nothing (§3.2.2).
    private mutating func skipComment() {
        let start = index &+ 1
        var depth = 0
        while index < end {
            let octet = octets[index]
            index &+= 1
            if octet == 0x5C {
                if index < end { index &+= 1 }
            } else if octet == 0x28 {
                depth &+= 1
            } else if octet == 0x29 {
                depth &-= 1
                if depth == 0 {
                    lastComment = start..<index &- 1
                    return
                }
            }
        }
        lastComment = min(start, end)..<end
        isMalformed = true
    }

    package mutating func forgetComment() { lastComment = nil }

    /// The octets from the cursor to the first for which `isEnd` holds, or to the end.
    package mutating func consume(until isEnd: (UInt8) -> Bool) -> Range<Int> {
        let start = index
        while index < end, !isEnd(octets[index]) { index &+= 1 }
        return start..<index
    }

    /// The reading of a backslash within a quoted string.
    package enum Quoting {
        /// It quotes any octet (RFC 5322 §3.2.4).
        case standard
        /// It quotes only itself and the quote: mailers write Windows paths into file names, backslashes and all.
        case lenient
        /// It is an octet like any other.
        case none
    }

    /// A quoted string, whose opening quote is the current octet: its value.
    package mutating func parseQuotedString(_ quoting: Quoting = .standard) -> [UInt8] {
        var value: [UInt8] = []
        advance()
        var run = index
        while index < end {
            let octet = octets[index]
            if octet == 0x22 {
                value.append(contentsOf: slice(run..<index))
                index &+= 1
                return value
            }
            if octet == 0x5C, quoting != .none, index &+ 1 < end {
                let quoted = octets[index &+ 1]
                if quoting == .standard || quoted == 0x22 || quoted == 0x5C {
                    value.append(contentsOf: slice(run..<index))
                    run = index &+ 1
                }
                index &+= 2
            } else {
                index &+= 1
            }
        }
        value.append(contentsOf: slice(run..<end))
        isMalformed = true
        return value
    }

    package func octet(at index: Int) -> UInt8 { index >= 0 && index < end ? octets[index] : 0 }

    /// The octets of `range`.
    package func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: octets + range.lowerBound, count: range.count)
    }

    /// Goes on at `index`, which was read before.
    package mutating func go(to index: Int) { self.index = min(max(index, 0), end) }
}
