/// Takes octets whose number is not known beforehand and gives them back as one run.
///
/// The maker decides where they wait: in memory, or in a scratch file once they are many.
public protocol OctetCollector {
    /// Adds `octets` at the end.
    /// - Throws: ``OctetCollectionError`` if there are too many octets, or they cannot be stored.
    mutating func append(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError)
    /// Ends the collection; nothing may be appended afterwards.
    /// - Throws: ``OctetCollectionError`` if the octets cannot be stored.
    mutating func finish() throws(OctetCollectionError) -> OctetString
}

/// Makes collectors, each for one document.
public protocol OctetCollectorMaking: Sendable {
    /// Makes an empty collector.
    /// - Throws: ``OctetCollectionError`` if there is no storage for it.
    func makeCollector() throws(OctetCollectionError) -> any OctetCollector
}

/// Octets could not be kept: more than allowed, or no room for them.
public struct OctetCollectionError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// More octets than the maker allows.
        case tooMany(limit: Int)
        /// The file system refused (errno).
        case storage(errno: Int32)
    }
    public let kind: Kind
    /// The event and its place, in one line.
    public let detail: String

    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

/// Collects in memory, up to a limit.
public struct MemoryCollecting: OctetCollectorMaking {
    /// The most octets one collector takes.
    public let limit: Int

    public init(limit: Int) { self.limit = limit }

    public func makeCollector() -> any OctetCollector { Collector(limit: limit) }

    struct Collector: OctetCollector {
        let limit: Int
        var octets: [UInt8] = []

        mutating func append(_ more: UnsafeRawBufferPointer) throws(OctetCollectionError) {
            guard octets.count + more.count <= limit else {
                throw OctetCollectionError(.tooMany(limit: limit), "more than \(limit) octets")
            }
            octets.append(contentsOf: more.octets(0..<more.count))
        }

        mutating func finish() -> OctetString { OctetString(octets) }
    }
}

extension OctetSource {
    /// All octets in one run: the source itself where it is that already, else what a collector of `maker` keeps.
    /// - Throws: ``OctetCollectionError`` if there are too many octets, or they cannot be stored.
    public func collected(by maker: any OctetCollectorMaking) throws(OctetCollectionError) -> OctetString {
        if let whole = inMemory { return whole }
        var collector = try maker.makeCollector()
        try forEachChunk { (chunk) throws(OctetCollectionError) in try collector.append(chunk) }
        return try collector.finish()
    }
}
