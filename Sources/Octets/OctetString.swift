/// An immutable run of octets: shared storage and a range of it.
///
/// Slices share the storage, so a part of a message costs no copy, and a message may stand on a mapped file as well as
/// on memory. Indices always start at zero, in a slice too.
public struct OctetString: Sendable {
    @usableFromInline let storage: OctetStorage
    @usableFromInline let offset: Int
    /// The number of octets.
    public let count: Int

    @inlinable
    init(storage: OctetStorage, offset: Int, count: Int) {
        self.storage = storage
        self.offset = offset
        self.count = count
    }

    /// The empty run.
    public init() { self.init(storage: OctetStorage.empty, offset: 0, count: 0) }

    /// Copies `octets`.
    public init(_ octets: some Collection<UInt8>) {
        let copied = octets.withContiguousStorageIfAvailable { OctetString(copying: UnsafeRawBufferPointer($0)) }
        self = copied ?? OctetString([UInt8](octets))
    }

    /// The UTF-8 octets of `text`.
    public init(_ text: some StringProtocol) {
        var text = String(text)
        self = text.withUTF8 { OctetString(copying: UnsafeRawBufferPointer($0)) }
    }

    /// Copies the octets of `buffer`.
    public init(copying buffer: UnsafeRawBufferPointer) {
        let storage = OctetStorage(capacity: buffer.count) { $0.copyMemory(from: buffer) }
        self.init(storage: storage, offset: 0, count: buffer.count)
    }

    /// Takes over memory that stays valid and unchanged until `release` is called, such as a mapped private file.
    public init(adopting buffer: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void) {
        self.init(storage: OctetStorage(adopting: buffer, release: release), offset: 0, count: buffer.count)
    }

    /// Makes a run of exactly `count` octets that `initialize` must fill.
    public init(count: Int, initialize: (UnsafeMutableRawBufferPointer) -> Void) {
        self.init(storage: OctetStorage(capacity: count, initialize: initialize), offset: 0, count: count)
    }

    /// The octets at `range`, which must lie within `0 ..< count`; shares storage.
    @inlinable
    public func slice(_ range: Range<Int>) -> OctetString {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice out of bounds")
        return OctetString(storage: storage, offset: offset + range.lowerBound, count: range.count)
    }

    /// Calls `body` with the octets; the pointer must not leave it.
    /// - Throws: The error that `body` throws.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: storage.buffer[offset..<offset + count]))
    }

    /// The octets as text: UTF-8, with U+FFFD for invalid octets.
    public var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

    /// A copy as an array.
    public var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

extension OctetString: RandomAccessCollection {
    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { count }

    @inlinable
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "index out of bounds")
        return storage.buffer[offset + index]
    }
}

extension OctetString {
    @inlinable
    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        try body(
            UnsafeBufferPointer(rebasing: storage.buffer.assumingMemoryBound(to: UInt8.self)[offset..<offset + count]))
    }
}

extension OctetString: Hashable {
    public static func == (left: OctetString, right: OctetString) -> Bool {
        left.count == right.count
            && left.withUnsafeBytes { l in right.withUnsafeBytes { r in l.holds(r, at: 0) } }
    }

    public func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension OctetString: CustomStringConvertible {
    public var description: String { "\(count) octets" }
}

/// The memory behind one or many octet strings.
///
/// Unchecked: the buffer is written only before the initialiser returns and never again.
@usableFromInline
final class OctetStorage: @unchecked Sendable {
    @usableFromInline let buffer: UnsafeRawBufferPointer
    private let release: (@Sendable () -> Void)?

    static let empty = OctetStorage(capacity: 0) { _ in }

    init(capacity: Int, initialize: (UnsafeMutableRawBufferPointer) -> Void) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        initialize(memory)
        buffer = UnsafeRawBufferPointer(memory)
        release = nil
    }

    init(adopting buffer: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void) {
        self.buffer = buffer
        self.release = release
    }

    deinit {
        if let release { release() } else { buffer.deallocate() }
    }
}
