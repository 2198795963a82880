/// A source that yields the same octets each time, in pieces, so that nobody needs to hold them all.
public protocol OctetSource: Sendable {
    /// The number of octets that it yields in all.
    var count: Int { get }
    /// The octets, where they are in one run already; nil where they have to be read.
    var inMemory: OctetString? { get }
    /// Starts from the beginning.
    func makeReader() -> any OctetReader
}

extension OctetSource {
    public var inMemory: OctetString? { nil }
}

/// One pass over an ``OctetSource``.
public protocol OctetReader {
    /// Fills the front of `buffer` (not empty).
    /// - Returns: The number of octets written; 0 at the end, and only there.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int
}

extension OctetSource {
    /// Calls `body` with consecutive chunks until the end or until it throws.
    /// - Throws: The error that `body` throws.
    public func forEachChunk<Failure: Error>(
        size: Int = 65_536, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        // What is in memory is shown there and not copied.
        if let whole = inMemory {
            var start = 0
            while start < whole.count {
                let end = min(start + size, whole.count)
                try whole.slice(start..<end).withUnsafeBytes { (octets) throws(Failure) in try body(octets) }
                start = end
            }
            return
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(size, max(count, 1)), alignment: 16)
        defer { buffer.deallocate() }
        var reader = makeReader()
        while true {
            let read = reader.read(into: buffer)
            if read == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
        }
    }

    /// All octets in memory. For small sources and tests.
    public func collected() -> OctetString {
        OctetString(count: count) { target in
            var reader = makeReader()
            var filled = 0
            while filled < target.count {
                let read = reader.read(into: UnsafeMutableRawBufferPointer(rebasing: target[filled...]))
                precondition(read > 0, "an octet source yielded fewer octets than it counted")
                filled += read
            }
        }
    }
}

extension OctetString: OctetSource {
    public var inMemory: OctetString? { self }

    public func makeReader() -> any OctetReader { Reader(rest: self) }

    struct Reader: OctetReader {
        var rest: OctetString

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            let taken = Swift.min(buffer.count, rest.count)
            rest.slice(0..<taken).withUnsafeBytes { buffer.copyMemory(from: $0) }
            rest = rest.slice(taken..<rest.count)
            return taken
        }
    }
}

/// Sources one after the other, as one source. Joining copies nothing.
public struct OctetRope: OctetSource {
    /// The pieces in order.
    public private(set) var pieces: [any OctetSource] = []
    public private(set) var count = 0

    public init() {}

    public init(_ pieces: [any OctetSource]) {
        for piece in pieces { append(piece) }
    }

    /// Adds `piece` at the end; an empty one is left out.
    public mutating func append(_ piece: some OctetSource) {
        guard piece.count > 0 else { return }
        pieces.append(piece)
        count += piece.count
    }

    /// Adds the UTF-8 octets of `text` at the end.
    public mutating func append(_ text: String) { append(OctetString(text)) }

    public var inMemory: OctetString? { pieces.count == 1 ? pieces[0].inMemory : nil }

    public func makeReader() -> any OctetReader { Reader(rest: pieces[...]) }

    struct Reader: OctetReader {
        var rest: ArraySlice<any OctetSource>
        var current: (any OctetReader)?

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            while true {
                if let read = current?.read(into: buffer), read > 0 { return read }
                guard let next = rest.popFirst() else { return 0 }
                current = next.makeReader()
            }
        }
    }
}
